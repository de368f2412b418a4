import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { bareToken } from './token.ts';

const CIPHER = 'aes-256-gcm';
/** The lengths of the parts of a sealed text, in bytes. NIST SP 800-38D recommends both lengths for GCM. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts values that must not be stored in the database as plain text. */
export interface Vault {
  /** Encrypts a text. Each call returns a different result, even for the same text. */
  seal(text: string): string;
  /**
   * Decrypts a sealed text. Returns undefined if the text was sealed with a different token or was changed after the
   * encryption.
   */
  open(sealed: string): string | undefined;
}

/**
 * A vault whose key is derived from the account's API token by HKDF (RFC 5869). All processes with this token can
 * decrypt each other's values. If the token is replaced, the encrypted values are lost.
 */
export function createVault(token: string): Vault {
  const key = Buffer.from(hkdfSync('sha256', bareToken(token), 'edgegap-chatops', 'sealed values', 32));
  return {
    seal(text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
      const [iv, tag] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
      const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAuthTag(tag);
      try {
        const text = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
        return Buffer.concat(text).toString('utf8');
      } catch {
        // The authentication tag does not match. Either the key is wrong or the bytes were changed.
        return undefined;
      }
    },
  };
}
