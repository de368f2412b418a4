import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { bareToken } from './token.ts';

const CIPHER = 'aes-256-gcm';
/** The lengths of the parts of a sealed text, in bytes. NIST SP 800-38D recommends both for GCM. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts values that must not stand in the database in clear. */
export interface Vault {
  /** Encrypts a text. The same text is sealed differently each time. */
  seal(text: string): string;
  /** The sealed text. Undefined if the text was sealed with another token, or was changed since. */
  open(sealed: string): string | undefined;
}

/**
 * A vault whose key comes from the account's API token, by HKDF (RFC 5869). All processes with this token can open the
 * values that any of these processes has sealed. If the token is replaced, the sealed values are lost.
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
        // The tag does not match. Either the key is another key, or the bytes were changed.
        return undefined;
      }
    },
  };
}
