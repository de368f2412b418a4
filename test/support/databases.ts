import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialect } from 'kysely';
import { Client } from 'pg';
import { pino } from 'pino';
import { inject, onTestFinished } from 'vitest';
import type { Store } from '../../src/store/schema.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { administer, TEMPLATE } from './postgres-server.ts';
import { Relay } from './relay.ts';
import type { TestClock } from './test-clock.ts';

export type DatabaseName = 'sqlite' | 'postgres';

/**
 * The type of database in this run of the tests. Vitest runs the tests of the store once with each type
 * (vitest.config.ts). The benches run without Vitest.
 */
export const suiteDatabase: DatabaseName = process.env.VITEST ? inject('database') : 'sqlite';

/** The `DATABASE_URL` of a new database, which is deleted after the test. With `empty`, the database has no schema. */
export async function freshDatabase(
  name: DatabaseName = suiteDatabase,
  { empty = false }: { readonly empty?: boolean } = {},
): Promise<string> {
  if (name === 'sqlite') return ':memory:';
  const server = inject('postgres');
  const database = `test_${randomBytes(8).toString('hex')}`;
  // Copying the files takes a third of the time of PostgreSQL's default, which also writes every page to the
  // write-ahead log.
  const template = empty ? '' : ` template ${TEMPLATE} strategy file_copy`;
  await ask(server, `create database ${database}${template}`);
  afterwards(() => ask(server, `drop database ${database} with (force)`));
  return `${server}/${database}`;
}

let connected: Promise<Client> | undefined;

/** Runs a statement on the server. The connection stays open until the test worker ends. */
async function ask(server: string, statement: string): Promise<void> {
  connected ??= (async () => {
    const client = new Client({ connectionString: `${server}/postgres` });
    // The server may stop before the test worker ends.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  })();
  await (await connected).query(statement);
}

/**
 * A new store with the database type of this run. The store is closed after the test. If a clock is given, it stands
 * still while the store works.
 */
export async function freshStore(clock?: TestClock): Promise<Store> {
  const dialect = dialectFor(await freshDatabase(), pino({ level: 'silent' }));
  const store = await openStore(clock ? waitedFor(dialect, clock) : dialect);
  onTestFinished(() => store.destroy());
  return store;
}

/** A database server needs real time to answer. During this time, a clock that only the test moves must stand still. */
function waitedFor(dialect: Dialect, clock: TestClock): Dialect {
  let inUse = 0;
  let idle = Promise.withResolvers<void>();
  clock.waitFor(() => inUse > 0 && idle.promise);
  const release = () => {
    if (--inUse > 0) return;
    idle.resolve();
    idle = Promise.withResolvers();
  };
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver() {
      const driver = dialect.createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      const giveBack = driver.releaseConnection.bind(driver);
      driver.acquireConnection = async (options) => {
        inUse++;
        return await acquire(options).catch((error: unknown) => {
          release();
          throw error;
        });
      };
      driver.releaseConnection = async (connection) => {
        await giveBack(connection).finally(release);
      };
      return driver;
    },
  };
}

/** The store of one process. The database still exists after the process has died. */
export interface Life {
  readonly url: string;
  /**
   * Simulates the death of the process. Its later queries do not reach the database, and its open transactions are
   * rolled back.
   */
  end(): void;
}

/**
 * A database for processes that die during the test. The clock stands still while the database works. On SQLite, only
 * one process runs at a time.
 */
export async function mortalDatabase(clock: Pick<TestClock, 'waitFor'>): Promise<() => Promise<Life>> {
  return suiteDatabase === 'sqlite' ? mortalFile() : mortalServer(await freshDatabase(), clock);
}

/**
 * Linux keeps the files of this folder in memory, so tests do not wait for a disk. Such files also remain after a
 * process dies.
 */
const MEMORY = '/dev/shm';

function mortalFile(): () => Promise<Life> {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  let path = join(folder, 'life-0.db');
  return async () => {
    const from = path;
    return {
      url: from,
      end() {
        // The copy contains the committed rows, as the next process finds them on the disk.
        path = join(folder, `life-${++count}.db`);
        for (const end of ['', '-wal']) if (existsSync(from + end)) copyFileSync(from + end, path + end);
      },
    };
  };
}

function mortalServer(database: string, clock: Pick<TestClock, 'waitFor'>): () => Promise<Life> {
  const relays: Relay[] = [];
  clock.waitFor(() => relays.some((relay) => relay.busy));
  const living = new Set<Relay>();
  let dead: number[] = [];
  // This hook is registered before the hooks of the test that uses the database, so it runs after them.
  onTestFinished(async () => void (await Promise.all(relays.map((relay) => relay.close()))));
  return async () => {
    for (const port of dead.splice(0)) await sessionEnded(database, port);
    // If other processes are running, their rows must stay. The row of the dead process expires without help.
    if (living.size === 0) await administer(database, 'delete from instances');
    const relay = await Relay.to(database);
    relays.push(relay);
    living.add(relay);
    return {
      url: relay.through(database),
      end() {
        dead = [...dead, ...relay.ports];
        relay.cut();
        living.delete(relay);
      },
    };
  };
}

/** The server notices without help that a client has ended, but only after the client's last statement. */
async function sessionEnded(database: string, port: number): Promise<void> {
  const still = `select pg_terminate_backend(pid) from pg_stat_activity where client_port = ${port}`;
  while ((await administer(database, still)) > 0);
}

/**
 * Runs `end` after the test. If a whole test file uses the database, the database is deleted together with the server.
 */
function afterwards(end: () => Promise<unknown>): void {
  try {
    onTestFinished(async () => void (await end()));
  } catch {
    // Outside a test, there is no hook to register.
  }
}
