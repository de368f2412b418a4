import { readFileSync } from 'node:fs';
import type { PoolConfig } from 'pg';
import { type DatabaseAddress, databaseUnusable } from './postgres-errors.ts';

/**
 * The files for TLS. Each key is a parameter of the URL. Each value is the TLS option of Node.js that receives the
 * content of the file.
 */
const FILES = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;

/** The server, the database and the user of a URL, without the password. */
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
 * The URL for pg. The TLS settings are moved from the URL to pg's options. `disable` means no TLS, and `no-verify`
 * trusts any certificate. Every other `sslmode` means `verify-full`. pg 8 gives `sslmode` the same meanings, but warns
 * that its next version will use the weaker meanings of libpq. The files are read here once. If pg read the files for
 * each connection, a read error would reach no caller. Throws StoreError if a file cannot be read.
 */
export function connectionOf(url: string): Pick<PoolConfig, 'connectionString' | 'ssl' | 'sslnegotiation'> {
  const plain = new URL(url);
  const take = (name: string) => {
    const value = plain.searchParams.get(name);
    plain.searchParams.delete(name);
    return value || undefined;
  };
  // As in libpq, connections through a local socket use no TLS. Strangers cannot listen on this socket, and servers do
  // not support TLS on it.
  const asked = take('sslmode');
  const mode = asked !== undefined && hostOf(url).startsWith('/') ? 'disable' : asked;
  const files = Object.entries(FILES).flatMap(([name, option]) => {
    const path = take(name);
    return path === undefined ? [] : [[option, contentOf(path, name, placeOf(url))] as const];
  });
  if (mode === undefined && files.length === 0) return { connectionString: url };
  // These parameters are removed from the URL, because pg would use them instead of the option `ssl` below.
  const direct = take('sslnegotiation') === 'direct';
  for (const name of ['ssl', 'uselibpqcompat']) take(name);
  return {
    connectionString: plain.href,
    ssl: mode !== 'disable' && { ...Object.fromEntries(files), rejectUnauthorized: mode !== 'no-verify' },
    ...(direct ? { sslnegotiation: 'direct' } : {}),
  };
}

/**
 * Returns the host of the URL. Like pg and libpq, this function prefers the host in the query. The host in the query is
 * usually the folder of a socket. In the host part of the URL, the folder must be percent-encoded (`%2Fvar%2Frun`).
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
