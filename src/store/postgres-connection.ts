import { readFileSync } from 'node:fs';
import type { PoolConfig } from 'pg';
import { type Place, unusable } from './postgres-errors.ts';

/** What a URL calls the files for TLS, and Node's TLS what is in them. */
const FILES = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;

/** Whom a URL leads to, without its password. */
export function placeOf(url: string): Place {
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
 * The URL as pg takes it, with what it says of TLS taken out and made plain: `disable` is without, `no-verify` trusts
 * anyone, and every other `sslmode` is `verify-full`. So pg 8 has it too, with a warning that its next version will
 * have libpq's weaker meanings. The files are read here, once: pg would read them for each connection, and let an
 * error reach nobody. Throws StoreError where one cannot be read.
 */
export function connectionOf(url: string): Pick<PoolConfig, 'connectionString' | 'ssl' | 'sslnegotiation'> {
  const plain = new URL(url);
  const take = (name: string) => {
    const value = plain.searchParams.get(name);
    plain.searchParams.delete(name);
    return value || undefined;
  };
  // As libpq has it: nobody listens in on a socket of this machine, and a server has no TLS on it.
  const asked = take('sslmode');
  const mode = asked !== undefined && hostOf(url).startsWith('/') ? 'disable' : asked;
  const files = Object.entries(FILES).flatMap(([name, option]) => {
    const path = take(name);
    return path === undefined ? [] : [[option, contentOf(path, name, placeOf(url))] as const];
  });
  if (mode === undefined && files.length === 0) return { connectionString: url };
  // A meaning of its own would win over `ssl` below.
  const direct = take('sslnegotiation') === 'direct';
  for (const name of ['ssl', 'uselibpqcompat']) take(name);
  return {
    connectionString: plain.href,
    ssl: mode !== 'disable' && { ...Object.fromEntries(files), rejectUnauthorized: mode !== 'no-verify' },
    ...(direct ? { sslnegotiation: 'direct' } : {}),
  };
}

/** The one in the query counts for pg, as for libpq: the folder of a socket, most likely, which no URL's host can be as it is. */
function hostOf(url: string): string {
  const { hostname, searchParams } = new URL(url);
  return searchParams.get('host') || decodeURIComponent(hostname);
}

function contentOf(path: string, name: string, place: Place): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unusable(
      place,
      {
        reason: `cannot be reached: ${path} of ${name} cannot be read (${(cause as { code?: string }).code})`,
        remedy: 'Mend the path in DATABASE_URL, or let the user that I run as read the file.',
      },
      cause,
    );
  }
}
