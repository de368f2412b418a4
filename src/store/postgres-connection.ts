import { readFileSync } from 'node:fs';
import type { PoolConfig } from 'pg';
import { type DatabaseAddress, databaseUnusable } from './postgres-errors.ts';

/** The files of TLS: their names in a URL, and the options of Node's TLS for their contents. */
const FILES = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;

/** The server, database and user of a URL, without the password. */
export function placeOf(url: string): DatabaseAddress {
  const { port, pathname, username, searchParams } = new URL(url);
  const user = searchParams.get('user') || decodeURIComponent(username) || 'postgres';
  const host = hostOf(url);
  return {
    host: host.startsWith('/') ? host : `${host}:${searchParams.get('port') || port || 5432}`,
    database: decodeURIComponent(pathname.slice(1)) || user,
    user,
  };
}

/**
 * The URL for pg, with the settings of TLS taken out and given to pg apart: `disable` is no TLS, `no-verify` trusts
 * any certificate, and every other `sslmode` is `verify-full`. pg 8 reads `sslmode` in the same way, but warns that
 * the next version will have libpq's weaker meanings. The files are read here, once: pg would read the files for each
 * connection, and an error would reach no caller. Throws StoreError when a file cannot be read.
 */
export function connectionOf(url: string): Pick<PoolConfig, 'connectionString' | 'ssl' | 'sslnegotiation'> {
  const plain = new URL(url);
  const take = (name: string) => {
    const value = plain.searchParams.get(name);
    plain.searchParams.delete(name);
    return value || undefined;
  };
  // Like libpq: no stranger listens on a socket of this machine, and servers do not speak TLS there.
  const asked = take('sslmode');
  const mode = asked !== undefined && hostOf(url).startsWith('/') ? 'disable' : asked;
  const files = Object.entries(FILES).flatMap(([name, option]) => {
    const path = take(name);
    return path === undefined ? [] : [[option, contentOf(path, name, placeOf(url))] as const];
  });
  if (mode === undefined && files.length === 0) return { connectionString: url };
  // pg's own reading of these parameters would win over `ssl` below.
  const direct = take('sslnegotiation') === 'direct';
  for (const name of ['ssl', 'uselibpqcompat']) take(name);
  return {
    connectionString: plain.href,
    ssl: mode !== 'disable' && { ...Object.fromEntries(files), rejectUnauthorized: mode !== 'no-verify' },
    ...(direct ? { sslnegotiation: 'direct' } : {}),
  };
}

/**
 * pg and libpq prefer the host in the query: usually a socket's folder, which cannot stand in place of a URL's host.
 */
function hostOf(url: string): string {
  const { hostname, searchParams } = new URL(url);
  return searchParams.get('host') || decodeURIComponent(hostname);
}

function contentOf(path: string, name: string, place: DatabaseAddress): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw databaseUnusable(
      place,
      {
        reason: `cannot be reached: ${path} of ${name} cannot be read (${(cause as { code?: string }).code})`,
        remedy: 'Correct the path in DATABASE_URL, or let the user that I run as read the file.',
      },
      cause,
    );
  }
}
