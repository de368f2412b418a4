import { expect, test } from 'vitest';
import { createVault } from '../../src/edgegap/vault.ts';

const TOKEN = '0d4bd9e8-7a25-4e6c-8f5e-3f1a4c2b9d10';
const SECRET = 'correct horse 🐎 battery staple';

test('the vault encrypts a text differently each time, and the result does not contain the text', () => {
  const vault = createVault(TOKEN);
  const [first, second] = [vault.seal(SECRET), vault.seal(SECRET)];
  expect(first).not.toBe(second);
  expect(Buffer.from(first, 'base64url').toString('latin1')).not.toContain('horse');
});

test('a process with the same API token can decrypt an encrypted text, even if its token has the prefix "token "', () => {
  const sealed = createVault(TOKEN).seal(SECRET);
  expect(createVault(`token ${TOKEN}`).open(sealed)).toBe(SECRET);
});

test('the vault cannot decrypt a text that was changed, cut off or encrypted with a different token', () => {
  const vault = createVault(TOKEN);
  const sealed = vault.seal(SECRET);
  expect(createVault('another-token').open(sealed)).toBeUndefined();
  for (const length of [0, 5, 20, sealed.length - 4])
    expect(vault.open(sealed.slice(0, length))).toBeUndefined();
  const bytes = Buffer.from(sealed, 'base64url');
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
    expect(vault.open(changed.toString('base64url'))).toBeUndefined();
  }
});

test('the vault encrypts and decrypts an empty text and a long text without changes', () => {
  const vault = createVault(TOKEN);
  for (const text of ['', 'x'.repeat(100_000)]) expect(vault.open(vault.seal(text))).toBe(text);
});
