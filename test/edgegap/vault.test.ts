import { expect, test } from 'vitest';
import { createVault } from '../../src/edgegap/vault.ts';

const TOKEN = '0d4bd9e8-7a25-4e6c-8f5e-3f1a4c2b9d10';
const SECRET = 'correct horse 🐎 battery staple';

test('a text that the vault has sealed does not contain the text, and is different each time', () => {
  const vault = createVault(TOKEN);
  const [first, second] = [vault.seal(SECRET), vault.seal(SECRET)];
  expect(first).not.toBe(second);
  expect(Buffer.from(first, 'base64url').toString('latin1')).not.toContain('horse');
});

test('another process with the same API token can open a sealed text, even if the token is set with the prefix "token " there', () => {
  const sealed = createVault(TOKEN).seal(SECRET);
  expect(createVault(`token ${TOKEN}`).open(sealed)).toBe(SECRET);
});

test('the vault cannot open a text that was sealed with another token, cut off or changed', () => {
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

test('the vault seals and opens an empty text and a long text without any change', () => {
  const vault = createVault(TOKEN);
  for (const text of ['', 'x'.repeat(100_000)]) expect(vault.open(vault.seal(text))).toBe(text);
});
