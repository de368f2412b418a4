import { type DialectAdapter, type Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely';
import { Pool, types } from 'pg';
import type { Logger } from '../log.ts';
import type { Database } from './schema.ts';

const CONNECTIONS = 10;
/** Longer than a statement of ours ever takes; a server that is gone without a word is noticed by it. */
const STATEMENT_MS = 10_000;

/**
 * Kysely's PostgreSQL dialect on `pg`. It asks nothing of a connection that outlives a transaction (no LISTEN, no
 * session locks, no named statements, no SET), so it also works behind a proxy that pools by transaction.
 */
export function postgresDialect(url: string, log: Logger): PostgresDialect {
  return new ProxiedPostgresDialect({ pool: async () => createPool(url, log) });
}

function createPool(url: string, log: Logger): Pool {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    types: { getTypeParser: (oid, format) => parserOf(oid) ?? types.getTypeParser(oid, format) },
  });
  // A connection that breaks while nobody uses it is replaced; without a listener it would end the process.
  pool.on('error', (err) => log.warn({ err }, 'store: an idle connection to the database broke'));
  // So would one that breaks in the middle of a transaction; the statement that fails by it tells whoever waits.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** 64-bit integers are milliseconds, counts and ids here, all of which a number holds exactly. */
function parserOf(oid: number): ((value: string) => number) | undefined {
  return oid === types.builtins.INT8 ? Number : undefined;
}

class ProxiedPostgresDialect extends PostgresDialect {
  override createAdapter(): DialectAdapter {
    return new UnlockedAdapter();
  }
}

/** Kysely's lock for migrations belongs to the session, which a pooling proxy gives to somebody else in between. */
class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {
    // `lockForMigration` is taken before.
  }

  override async releaseMigrationLock(): Promise<void> {
    // Given back by the end of the transaction.
  }
}

/** Any number that no other program uses for locks in the same database. */
const MIGRATION_LOCK = 7_310_924_518;

/** Lets one process at a time change the schema, until the transaction `tx` ends. */
export async function lockForMigration(tx: Kysely<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(tx);
}
