import { setTimeout as pause } from 'node:timers/promises';
import {
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  sql,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { connectionOf, placeOf } from './postgres-connection.ts';
import { checkServer, type DatabaseAddress, explain, type PostgresServer } from './postgres-errors.ts';
import type { Database, Store } from './schema.ts';
import { storable } from './storable.ts';

const CONNECTIONS = 10;
/**
 * The time limit of a statement, which is longer than any statement of the bot takes. If the server does not answer
 * within this time, it counts as unreachable.
 */
const STATEMENT_MS = 10_000;
/**
 * Used only for statements without a time limit. If the server is silent for this long, the operating system checks
 * whether the connection is still alive.
 */
const KEEP_ALIVE_MS = 10_000;
/**
 * If a process is suspended during a transaction, or its machine fails, its row locks would block all other processes.
 * With these limits, the server ends such a transaction. The first message of each transaction sets the limits, because
 * a proxy may give the session to another client between transactions. A statement outside a transaction holds locks
 * only while it runs, so it needs no limits.
 */
const BEGIN = begin({ lock: 3_000, statement: STATEMENT_MS });
/**
 * The maximum time that a change of a table waits for the table's lock. All other statements on the table wait behind
 * the change.
 */
const BEGIN_UNHURRIED = begin({ lock: STATEMENT_MS, statement: 0 });

export interface PostgresOptions {
  /** The maximum number of connections. The default is 10. */
  readonly connections?: number;
  /** How long to wait for a connection and for each statement, in milliseconds. The default is 10 000. */
  readonly patienceMs?: number;
  /** If true, statements have no time limit. */
  readonly unhurried?: boolean;
}

function begin({ lock, statement }: { readonly lock: number; readonly statement: number }): string {
  const limits = {
    idle_in_transaction_session_timeout: 5_000,
    lock_timeout: lock,
    statement_timeout: statement,
  };
  const set = Object.entries(limits).map(([name, ms]) => `set local ${name} = ${ms}`);
  return ['begin', ...set].join('; ');
}

/**
 * Kysely's PostgreSQL dialect, based on `pg`. After a transaction, the connection keeps no session state (no LISTEN, no
 * session locks, no named statements, no SET). Therefore the dialect also works with a proxy that gives a connection to
 * another client after each transaction. Throws StoreError if the database cannot be used.
 */
export function postgresDialect(url: string, log: Logger, options: PostgresOptions = {}): PostgresDialect {
  const place = placeOf(url);
  const beginning = options.unhurried ? BEGIN_UNHURRIED : BEGIN;
  const forChanges = () => postgresDialect(url, log, { ...options, connections: 1, unhurried: true });
  const dialect = new PostgresDialect({
    pool: async () => reliable(await createPool(url, log, options), place, beginning),
  });
  return Object.assign(dialect, { createAdapter: () => new UnlockedAdapter(place, log, forChanges) });
}

async function createPool(url: string, log: Logger, options: PostgresOptions): Promise<Pool> {
  // The package is loaded only here, because a bot on SQLite does not need it.
  const { Pool, types } = await import('pg');
  const { connections = CONNECTIONS, patienceMs = STATEMENT_MS, unhurried = false } = options;
  const pool = new Pool({
    ...connectionOf(url),
    max: connections,
    connectionTimeoutMillis: patienceMs,
    ...(unhurried ? { keepAliveInitialDelayMillis: KEEP_ALIVE_MS } : { query_timeout: patienceMs }),
    keepAlive: true,
    // By default, pg reads 64-bit integers as text. The bot uses them for milliseconds, counts and ids, and JavaScript
    // numbers represent all of these exactly.
    types: {
      getTypeParser: (oid, format) =>
        oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format),
    },
  });
  // If an idle connection breaks, the pool replaces it. Without this listener, the error would end the process. The
  // error object is not logged. It contains the whole connection, including the last message and the key that cancels
  // statements.
  pool.on('error', ({ message, code }: Error & { code?: string }) =>
    log.warn({ code, reason: message }, 'store: an idle connection to the database broke'),
  );
  // Without this listener, a connection that breaks during a transaction would also end the process. The error can be
  // ignored here, because the statement rejects.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * A pool that returns explained errors. After an error that concerns the whole database, the pool discards the
 * connection.
 */
function reliable(pool: Pool, place: DatabaseAddress, beginning: string): PostgresPool {
  const failed = (error: unknown): never => {
    throw explain(error, place);
  };
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client: PoolClient = await pool.connect().catch(failed);
      let broken = false;
      return {
        async query(text: string, parameters: readonly unknown[]) {
          try {
            if (text !== 'begin') return await client.query(text, parameters.map(storable));
            // All statements are sent in one message without parameters, because a message with parameters may contain
            // only one statement.
            await client.query(beginning);
            return { command: 'BEGIN', rowCount: null, rows: [] };
          } catch (error) {
            const explained = explain(error, place);
            // After a timeout, the statement may still be running on the server. The next statement on the same
            // connection would have to wait for it.
            if (explained instanceof StoreError) broken = true;
            throw explained;
          }
        },
        release: (destroy?: boolean) => client.release(broken || destroy),
      } as unknown as PostgresPoolClient;
    },
  };
}

/**
 * Does not use Kysely's lock for migrations. That lock belongs to a session, and a pooling proxy may give the session
 * to other clients before the migration ends.
 */
export class UnlockedAdapter extends PostgresAdapter {
  readonly #place: DatabaseAddress;
  readonly #log: Logger;
  readonly #forChanges: () => PostgresDialect;

  constructor(place: DatabaseAddress, log: Logger, forChanges: () => PostgresDialect) {
    super();
    this.#place = place;
    this.#log = log;
    this.#forChanges = forChanges;
  }

  override async acquireMigrationLock(): Promise<void> {
    // This function is empty, because `alone` takes the lock.
  }

  override async releaseMigrationLock(): Promise<void> {
    // This function is empty, because the end of the transaction releases the lock.
  }

  /** Throws if the bot cannot use this server. */
  async check(db: Store): Promise<void> {
    const { rows } = await sql<PostgresServer>`
      select current_setting('server_version_num')::int as version,
        current_setting('transaction_read_only') = 'on' as "readOnly",
        current_setting('transaction_isolation') as "isolation",
        to_regclass('kysely_migration') is not null
          or coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayBegin"`.execute(db);
    if (rows[0]) checkServer(rows[0], this.#place);
  }

  /**
   * Runs `work` in a transaction and prevents schema changes by other processes. The transaction has no time limit,
   * because the change of a large table takes minutes. Other processes that start during this time retry the lock
   * instead of waiting for it. A waiting process would occupy a connection of a pooling proxy.
   */
  async alone(work: (tx: Store) => Promise<void>): Promise<void> {
    const db = new Kysely<Database>({ dialect: this.#forChanges() });
    this.#log.info({}, 'store: the schema of the database is to be brought up to date');
    try {
      for (let tries = 1; ; tries++) {
        const done = await db.transaction().execute(async (tx) => {
          const { rows } = await sql<{ ours: boolean }>`
            select pg_try_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)}) as ours`.execute(tx);
          if (!rows[0]?.ours) return false;
          await work(tx);
          return true;
        });
        if (done) return;
        if (tries === 1)
          this.#log.info({}, 'store: another process changes the schema of the database: waiting for it');
        await pause(ASK_AGAIN_MS);
      }
    } finally {
      await db.destroy();
    }
  }
}

/** The number of the lock. Any number works if no other program uses the number for locks in the same database. */
const MIGRATION_LOCK = 7_310_924_518;
const ASK_AGAIN_MS = 500;
