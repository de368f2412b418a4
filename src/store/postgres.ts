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
 * The time limit of a statement. It is longer than any statement of the bot takes. If the server is silent for this
 * long, it counts as gone.
 */
const STATEMENT_MS = 10_000;
/**
 * For statements without a time limit. If the server is silent for this long, the operating system begins to test
 * whether the server is still there.
 */
const KEEP_ALIVE_MS = 10_000;
/**
 * If a process is stopped in the middle of a transaction, or its machine fails, the rows that it has locked would stay
 * locked for all other processes. With these limits, the server ends such a transaction. The limits are set again in
 * the first message of each transaction, because between transactions a proxy may give the session to another client. A
 * statement outside a transaction locks its rows only while it runs, and needs no such limits.
 */
const BEGIN = begin({ lock: 3_000, statement: STATEMENT_MS });
/**
 * A change of a table waits for the lock on the table only for this long, because all other statements on the table
 * have to wait behind the change.
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
 * Kysely's PostgreSQL dialect, based on `pg`. The dialect leaves no trace in a connection after a transaction (no
 * LISTEN, no session locks, no named statements, no SET). Therefore the dialect also works with a proxy that gives a
 * connection to another client after each transaction. Throws StoreError if the database cannot be used.
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
  // Loaded only here, because a bot on SQLite does not need this package.
  const { Pool, types } = await import('pg');
  const { connections = CONNECTIONS, patienceMs = STATEMENT_MS, unhurried = false } = options;
  const pool = new Pool({
    ...connectionOf(url),
    max: connections,
    connectionTimeoutMillis: patienceMs,
    ...(unhurried ? { keepAliveInitialDelayMillis: KEEP_ALIVE_MS } : { query_timeout: patienceMs }),
    keepAlive: true,
    // pg reads 64-bit integers as text by default. The bot uses them for milliseconds, counts and ids, and a JavaScript
    // number can hold all of these exactly.
    types: {
      getTypeParser: (oid, format) =>
        oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format),
    },
  });
  // If an unused connection breaks, the pool replaces it. Without this listener, the error would end the process. The
  // error object itself is not logged. pg attaches the whole connection to the error, including the last message and
  // the key that cancels statements.
  pool.on('error', ({ message, code }: Error & { code?: string }) =>
    log.warn({ code, reason: message }, 'store: an idle connection to the database broke'),
  );
  // Without this listener, a connection that breaks in the middle of a transaction would end the process as well. The
  // error may be ignored here, because the statement rejects anyway.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * A pool that explains errors in words. After an error that concerns the whole database, the pool closes the connection
 * and does not use it again.
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
            // All statements are sent in a single message without parameters. A message with parameters may contain
            // only one statement.
            await client.query(beginning);
            return { command: 'BEGIN', rowCount: null, rows: [] };
          } catch (error) {
            const explained = explain(error, place);
            // If the bot has stopped waiting for a statement, the statement may still be running in the server. The
            // next statement on the same connection would have to wait for it.
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
 * Works without Kysely's lock for migrations. That lock belongs to a session, and a pooling proxy may give the session
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
    // There is nothing to do, because `alone` takes the lock.
  }

  override async releaseMigrationLock(): Promise<void> {
    // There is nothing to do, because the lock is given back when the transaction ends.
  }

  /** Throws if the bot cannot work with this server. */
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
   * Runs `work` in a transaction. During this time no other process changes the schema. There is no time limit, because
   * changing a large table takes minutes. Other processes that start in the meantime do not wait for the lock, but ask
   * for it again and again. A waiting process would occupy a connection of a pooling proxy.
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

/** The number of the lock. It may be any number that no other program uses for locks in the same database. */
const MIGRATION_LOCK = 7_310_924_518;
const ASK_AGAIN_MS = 500;
