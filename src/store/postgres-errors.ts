import { StoreError } from '../errors.ts';
import { OvertakenError } from './transact.ts';

/** The oldest that its makers still mend; the tests run on 18. */
export const OLDEST_VERSION = 14;

/** Whom a URL leads to, without its password. */
export interface Place {
  readonly host: string;
  readonly database: string;
  readonly user: string;
}

/** Nothing was done, and it is worth another try; or another row of the same unique values came first. */
const OVERTAKEN = new Set([
  '40001' /* serialization_failure */,
  '40P01' /* deadlock_detected */,
  '23505' /* unique_violation */,
]);

interface Explained {
  /** Goes on from "The database NAME on HOST". */
  readonly reason: string;
  readonly remedy: string;
}

const RETRY = 'Try again once it is there.';
const CHECK_URL = 'Check DATABASE_URL.';
const FAILED_OVER = 'DATABASE_URL must lead to the primary server, not to a replica of it.';

/** SQLSTATEs (PostgreSQL's manual, appendix A) in which the database as a whole cannot be used. */
function byState(state: string, { user }: Place): Explained | undefined {
  switch (state) {
    case '28P01':
    case '28000':
      return {
        reason: `does not let the user ${user} in`,
        remedy: `${CHECK_URL} Its user, its password, or pg_hba.conf.`,
      };
    case '3D000':
      return { reason: 'does not exist', remedy: `Create it (createdb), or mend the name in DATABASE_URL.` };
    case '42501':
      return {
        reason: `does not allow ${user} what I need`,
        remedy: 'I make and change my own tables: let this user own the database, or its schema public.',
      };
    case '25006':
      return { reason: 'takes no changes, as a replica does', remedy: FAILED_OVER };
    case '53300':
      return {
        reason: 'has no connection to spare',
        remedy: 'Raise its max_connections, or use a pooler.',
      };
    case '55P03':
    case '57014':
      return { reason: 'is kept busy: somebody else is at the same rows', remedy: 'Try again in a moment.' };
    case '25P03':
      return {
        reason: 'gave up a transaction of mine that had come to a halt',
        remedy: 'Try again in a moment.',
      };
    case '53100':
      return { reason: 'has no room left on its disk', remedy: 'Make room there.' };
  }
  // 08: connection exceptions; 57P01 to 57P04: shut down, crashed, starting up, dropped; 53: out of something; 58: its disk.
  if (/^(08|53|58|57P0)/.test(state)) return { reason: 'is not there right now', remedy: RETRY };
  return undefined;
}

/** Codes of Node's sockets and of its TLS. */
function byCode(code: string): Explained | undefined {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { reason: 'cannot be reached: there is no host of that name', remedy: CHECK_URL };
    case 'ECONNREFUSED':
    // No such socket, where the host is its folder.
    case 'ENOENT':
      return {
        reason: 'cannot be reached: nothing listens there',
        remedy: 'Start it, or mend DATABASE_URL.',
      };
    case 'EACCES':
      return {
        reason: 'cannot be reached: I may not use its socket',
        remedy: 'Let the user that I run as write it, and enter its folder.',
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

/** What pg says in words alone. */
function byMessage(message: string): Explained | undefined {
  if (/does not support SSL/i.test(message))
    return { reason: 'does not speak TLS', remedy: 'Turn it on there, or take sslmode out of DATABASE_URL.' };
  if (/timeout exceeded when trying to connect/.test(message))
    return { reason: 'has kept every connection of mine busy', remedy: 'Try again in a moment.' };
  if (/timeout/i.test(message)) return { reason: 'does not answer', remedy: RETRY };
  if (/connection (error|terminated)|terminated unexpectedly|not queryable|client was closed/i.test(message))
    return { reason: 'broke off the connection', remedy: RETRY };
  if (/SASL|password must be a string/i.test(message))
    return { reason: 'asks for a password, and DATABASE_URL has none it takes', remedy: CHECK_URL };
  return undefined;
}

/** A StoreError where the database as a whole cannot be used, OvertakenError; everything else as it was. */
export function explain(error: unknown, place: Place): unknown {
  // Node tries each address of a name, and tells of all of them at once.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return error;
  const { code = '' } = first as { code?: string };
  if (OVERTAKEN.has(code)) return new OvertakenError(first.message, { cause: error });
  const explained =
    /^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE'
      ? byState(code, place)
      : (byCode(code) ?? byMessage(first.message));
  if (!explained) return error;
  return unusable(place, explained, error);
}

/** What a server says of itself. */
export interface Server {
  /** 180004 for 18.4. */
  readonly version: number;
  readonly readOnly: boolean;
  /** Of transactions that do not say otherwise, as PostgreSQL calls it. */
  readonly isolation: string;
  /** The tables are there, or this user may make them. */
  readonly mayBegin: boolean;
}

/** Refuses a server on which the bot would fail later. */
export function checkServer({ version, readOnly, isolation, mayBegin }: Server, place: Place): void {
  const major = Math.floor(version / 10_000);
  if (major < OLDEST_VERSION)
    throw unusable(place, {
      reason: `is PostgreSQL ${major}`,
      remedy: `PostgreSQL ${OLDEST_VERSION} is the oldest that I work with.`,
    });
  if (readOnly) throw unusable(place, byState('25006', place));
  if (isolation !== 'read committed')
    throw unusable(place, {
      reason: `has the isolation level ${isolation} by default, on which what several processes do at once fails`,
      remedy: `Set default_transaction_isolation to read committed for this database or user.`,
    });
  if (!mayBegin) throw unusable(place, byState('42501', place));
}

/** A database that cannot be used, in words. */
export function unusable(
  { database, host }: Place,
  explained: Explained | undefined,
  cause?: unknown,
): StoreError {
  return new StoreError('store-unreachable', 'I cannot reach my database.', {
    problem: `The database ${database} on ${host} ${explained?.reason}.`,
    remedy: explained?.remedy ?? RETRY,
    cause,
  });
}
