import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectionOf } from '../../src/store/postgres-connection.ts';

const URL_ALONE = 'postgres://bot:p%40ss@db:6543/bot';

test.each([
  ['', undefined],
  ['?sslmode=disable', false],
  ['?sslmode=no-verify', { rejectUnauthorized: false }],
  ['?sslmode=prefer', { rejectUnauthorized: true }],
  ['?sslmode=require', { rejectUnauthorized: true }],
  ['?uselibpqcompat=true&sslmode=require', { rejectUnauthorized: true }],
  ['?sslmode=verify-ca', { rejectUnauthorized: true }],
  ['?sslmode=verify-full', { rejectUnauthorized: true }],
  ['?sslmode=something-new', { rejectUnauthorized: true }],
])(
  'with "%s" in DATABASE_URL, the certificate and the host name are checked unless sslmode disables the check',
  (query, ssl) => {
    const connection = connectionOf(URL_ALONE + query);
    expect(connection.ssl).toEqual(ssl);
    expect(connection.connectionString).toBe(URL_ALONE);
  },
);

test('parameters of DATABASE_URL that do not affect TLS are kept', () => {
  const more = '?application_name=bot&sslmode=no-verify&sslnegotiation=direct';
  expect(connectionOf(URL_ALONE + more)).toEqual({
    connectionString: `${URL_ALONE}?application_name=bot`,
    ssl: { rejectUnauthorized: false },
    sslnegotiation: 'direct',
  });
});

test('the certificate files in DATABASE_URL are read, and the error names a file that cannot be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => {
    writeFileSync(join(folder, name), `the ${name}`);
    return encodeURIComponent(join(folder, name));
  };
  const files = `?sslrootcert=${path('ca')}&sslcert=${path('cert')}&sslkey=${path('key')}`;
  expect(connectionOf(URL_ALONE + files).ssl).toEqual({
    ca: 'the ca',
    cert: 'the cert',
    key: 'the key',
    rejectUnauthorized: true,
  });
  expect(() => connectionOf(`${URL_ALONE}?sslrootcert=${encodeURIComponent(folder)}`)).toThrow(
    expect.objectContaining({
      problem: `The database bot on db:6543 cannot be reached: ${folder} of sslrootcert cannot be read (EISDIR).`,
    }),
  );
});
