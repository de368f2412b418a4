import { StoreError } from '../errors.ts';
import { OvertakenError } from './transact.ts';

/** The oldest PostgreSQL version that is still maintained. The tests run on version 18. */
export const OLDEST_VERSION = 14;

/** The server, the database and the user of a URL, without the password. */
export interface DatabaseAddress {
  readonly host: string;
  readonly database: string;
  readonly user: string;
}

/**
 * The SQLSTATEs of two kinds of errors. In the first kind, the transaction had no effect and may succeed if it is
 * repeated. In the second kind, a different transaction stored a row with the same unique values first.
 */
const OVERTAKEN = new Set([
  '40001' /* serialization_failure */,
  '40P01' /* deadlock_detected */,
  '23505' /* unique_violation */,
]);

interface Explained {
  /** The end of a sentence that begins with "The database NAME on HOST". */
  readonly reason: string;
  readonly remedy: string;
}

const RETRY = 'Try again once the database is back.';
const SOON = 'Try again in a moment.';
const CHECK_URL = 'Check DATABASE_URL.';
const FAILED_OVER = 'DATABASE_URL must lead to the primary server, not to a replica of it.';

/** Explains SQLSTATEs that concern the whole database (PostgreSQL manual, appendix A). */
function byState(state: string, { user }: DatabaseAddress): Explained | undefined {
  switch (state) {
    case '28P01':
    case '28000':
      return {
        reason: `does not let the user ${user} in`,
        remedy: 'Check the user and the password in DATABASE_URL, or the server’s pg_hba.conf.',
      };
    case '3D000':
      return { reason: 'does not exist', remedy: 'Create the database (createdb), or correct DATABASE_URL.' };
    case '42501':
      return {
        reason: `does not allow ${user} what I need`,
        remedy: 'I make and change my own tables: let this user own the database, or its schema public.',
      };
    case '25006':
      return { reason: 'takes no changes, like a replica', remedy: FAILED_OVER };
    case '53300':
      return { reason: 'has no connection to spare', remedy: 'Raise its max_connections, or use a pooler.' };
    case '55P03':
    case '57014':
      return { reason: 'is kept busy: another session has locked the same rows', remedy: SOON };
    case '25P03':
      return { reason: 'gave up a transaction of mine that had come to a halt', remedy: SOON };
    case '53100':
      return { reason: 'has no room left on its disk', remedy: 'Free space on that disk.' };
  }
  // Codes that begin with 08 are connection exceptions. 57P01 to 57P04 mean that the server was shut down, crashed or
  // is starting, or that the database was dropped. Codes that begin with 53 mean that a resource is exhausted. Codes
  // that begin with 58 are system errors, for example of the disk.
  if (/^(08|53|58|57P0)/.test(state)) return { reason: 'is not there right now', remedy: RETRY };
  return undefined;
}

/** Explains the error codes of sockets and TLS in Node.js. */
function byCode(code: string): Explained | undefined {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { reason: 'cannot be reached: there is no host of that name', remedy: CHECK_URL };
    case 'ECONNREFUSED':
    // The socket does not exist. The host is the socket's folder.
    case 'ENOENT':
      return {
        reason: 'cannot be reached: nothing listens there',
        remedy: 'Start the server, or correct DATABASE_URL.',
      };
    case 'EACCES':
      return {
        reason: 'cannot be reached: I may not use its socket',
        remedy: 'Let the user that I run as write to the socket, and enter its folder.',
      };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return { reason: `cannot be reached (${code})`, remedy: RETRY };
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|TLS|SSL/.test(code))
    return {
      reason: `cannot be trusted: its certificate (${code})`,
      remedy:
        'Add sslrootcert=FILE with its authority’s certificate to DATABASE_URL; sslmode=no-verify would trust anyone.',
    };
  return undefined;
}

/** Explains errors that pg reports only as text without a code. */
function byMessage(message: string): Explained | undefined {
  if (/does not support SSL/i.test(message))
    return { reason: 'does not speak TLS', remedy: 'Turn TLS on, or take sslmode out of DATABASE_URL.' };
  if (/timeout exceeded when trying to connect/.test(message))
    return { reason: 'has kept every connection of mine busy', remedy: SOON };
  if (/timeout/i.test(message)) return { reason: 'does not answer', remedy: RETRY };
  if (/connection (error|terminated)|terminated unexpectedly|not queryable|client was closed/i.test(message))
    return { reason: 'broke off the connection', remedy: RETRY };
  if (/SASL|password must be a string/i.test(message))
    return { reason: 'asks for a password that DATABASE_URL does not have', remedy: CHECK_URL };
  return undefined;
}

/**
 * Returns a StoreError if the whole database cannot be used, and an OvertakenError for the codes in OVERTAKEN. Returns
 * any other error unchanged.
 */
export function explain(error: unknown, place: DatabaseAddress): unknown {
  // If a host name has several addresses, Node.js tries all of them and throws an error that contains one error for
  // each address.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return error;
  const { code = '' } = first as { code?: string };
  if (OVERTAKEN.has(code)) return new OvertakenError(first.message, { cause: error });
  const explained =
    /^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE'
      ? byState(code, place)
      : (byCode(code) ?? byMessage(first.message));
  if (!explained) return error;
  return databaseUnusable(place, explained, error);
}

/** The facts about a server that the server itself reports. */
export interface PostgresServer {
  /** For example 180004 for version 18.4. */
  readonly version: number;
  readonly readOnly: boolean;
  /** The default isolation level of transactions, as PostgreSQL names it. */
  readonly isolation: string;
  /** Whether the tables exist, or this user may create them. */
  readonly mayBegin: boolean;
}

/** Throws if the bot could start on this server but would fail later. */
export function checkServer(
  { version, readOnly, isolation, mayBegin }: PostgresServer,
  place: DatabaseAddress,
): void {
  const major = Math.floor(version / 10_000);
  if (major < OLDEST_VERSION)
    throw databaseUnusable(place, {
      reason: `is PostgreSQL ${major}`,
      remedy: `PostgreSQL ${OLDEST_VERSION} is the oldest that I work with.`,
    });
  if (readOnly) throw databaseUnusable(place, byState('25006', place));
  if (isolation !== 'read committed')
    throw databaseUnusable(place, {
      reason: `has the isolation level ${isolation} by default, with which the work of several processes at once fails`,
      remedy: `Set default_transaction_isolation to read committed for this database or user.`,
    });
  if (!mayBegin) throw databaseUnusable(place, byState('42501', place));
}

/** The error for a database that cannot be used. */
export function databaseUnusable(
  { database, host }: DatabaseAddress,
  explained: Explained | undefined,
  cause?: unknown,
): StoreError {
  return new StoreError('store-unreachable', 'I cannot reach my database.', {
    problem: `The database ${database} on ${host} ${explained?.reason}.`,
    remedy: explained?.remedy ?? RETRY,
    cause,
  });
}
