import { setTimeout as pause } from 'node:timers/promises';
import {
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  sql,
} from 'kysely';
import { Pool, type PoolClient, types } from 'pg';
import { StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { connectionOf, placeOf } from './postgres-connection.ts';
import { checkServer, type DatabaseAddress, explain, type PostgresServer } from './postgres-errors.ts';
import type { Database, Store } from './schema.ts';
import { storable } from './storable.ts';

const CONNECTIONS = 10;
/** Longer than any statement of the bot takes; after this long a silent server counts as gone. */
const STATEMENT_MS = 10_000;
/** For statements without a time limit: the operating system finds out that a server is gone. */
const KEEP_ALIVE_MS = 10_000;
/**
 * A process that is stopped in the middle of a transaction, or whose machine is gone, would lock its rows for all
 * other processes: with these limits the server ends such a transaction. The limits are set for each transaction, in
 * its first message, because a proxy then gives the session to another client. A single statement locks its rows only
 * while it runs.
 */
const BEGIN = begin({ lock: 3_000, statement: STATEMENT_MS });
/** A change of a table waits for the lock only this long: every other statement on the table would wait behind. */
const BEGIN_UNHURRIED = begin({ lock: STATEMENT_MS, statement: 0 });

export interface PostgresOptions {
  /** At most so many connections; 10 by default. */
  readonly connections?: number;
  /** How long to wait for a connection and for each statement, in milliseconds; 10 000 by default. */
  readonly patienceMs?: number;
  /** Statements have no time limit. */
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
 * Kysely's PostgreSQL dialect on `pg`. Nothing that the dialect uses outlives a transaction on a connection (no
 * LISTEN, no session locks, no named statements, no SET), so the dialect also works behind a proxy that pools by
 * transaction. Throws StoreError when the database cannot be used.
 */
export function postgresDialect(url: string, log: Logger, options: PostgresOptions = {}): PostgresDialect {
  const place = placeOf(url);
  const beginning = options.unhurried ? BEGIN_UNHURRIED : BEGIN;
  const forChanges = () => postgresDialect(url, log, { ...options, connections: 1, unhurried: true });
  const dialect = new PostgresDialect({
    pool: async () => reliable(createPool(url, log, options), place, beginning),
  });
  return Object.assign(dialect, { createAdapter: () => new UnlockedAdapter(place, log, forChanges) });
}

function createPool(url: string, log: Logger, options: PostgresOptions): Pool {
  const { connections = CONNECTIONS, patienceMs = STATEMENT_MS, unhurried = false } = options;
  const pool = new Pool({
    ...connectionOf(url),
    max: connections,
    connectionTimeoutMillis: patienceMs,
    ...(unhurried ? { keepAliveInitialDelayMillis: KEEP_ALIVE_MS } : { query_timeout: patienceMs }),
    keepAlive: true,
    // 64-bit integers here are milliseconds, counts and ids, which a JavaScript number holds exactly.
    types: {
      getTypeParser: (oid, format) =>
        oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format),
    },
  });
  // If an unused connection breaks, the pool replaces the connection; without a listener the error would end the
  // process. The error itself is not logged, because pg puts the whole connection into the error, with the key that
  // cancels statements and the last message.
  pool.on('error', ({ message, code }: Error & { code?: string }) =>
    log.warn({ code, reason: message }, 'store: an idle connection to the database broke'),
  );
  // Without a listener, a connection that breaks in the middle of a transaction would end the process, too; the
  // statement rejects anyway.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** A pool that explains errors in words, and closes a connection after an error instead of using it again. */
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
            // All statements as one message without parameters: only such a message may hold several statements.
            await client.query(beginning);
            return { command: 'BEGIN', rowCount: null, rows: [] };
          } catch (error) {
            const explained = explain(error, place);
            // A statement that was given up still runs in the server: the next statement on this connection would
            // wait.
            if (explained instanceof StoreError) broken = true;
            throw explained;
          }
        },
        release: (destroy?: boolean) => client.release(broken || destroy),
      } as unknown as PostgresPoolClient;
    },
  };
}

/** Kysely's lock for migrations belongs to a session, which a pooling proxy gives to other clients in between. */
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
    // `alone` takes the lock.
  }

  override async releaseMigrationLock(): Promise<void> {
    // The end of the transaction gives the lock back.
  }

  /** Throws if the bot cannot work on this server. */
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
   * Runs `work` in one transaction with the schema to itself, without a time limit: a large table takes minutes.
   * Other processes that start meanwhile ask for the lock again and again, so that they hold no connection of a
   * pooling proxy while they wait.
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

/** Any number that no other program uses for locks in the same database. */
const MIGRATION_LOCK = 7_310_924_518;
const ASK_AGAIN_MS = 500;
