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
 * The database of this run of the suite: vitest runs the tests that touch the store once on each database
 * (vitest.config.ts). The benches use the same bot without vitest.
 */
export const suiteDatabase: DatabaseName = process.env.VITEST ? inject('database') : 'sqlite';

/** The `DATABASE_URL` of a new database, gone after the test. `empty`: without the schema, which saves no time. */
export async function freshDatabase(
  name: DatabaseName = suiteDatabase,
  { empty = false }: { readonly empty?: boolean } = {},
): Promise<string> {
  if (name === 'sqlite') return ':memory:';
  const server = inject('postgres');
  const database = `test_${randomBytes(8).toString('hex')}`;
  // A copy of files takes a third of the time of the default, which writes every page to the log as well.
  const template = empty ? '' : ` template ${TEMPLATE} strategy file_copy`;
  await ask(server, `create database ${database}${template}`);
  afterwards(() => ask(server, `drop database ${database} with (force)`));
  return `${server}/${database}`;
}

let connected: Promise<Client> | undefined;

/** Runs a statement on the server, on a connection that lasts as long as this worker of the tests. */
async function ask(server: string, statement: string): Promise<void> {
  connected ??= (async () => {
    const client = new Client({ connectionString: `${server}/postgres` });
    // The server stops while the worker is still there.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  })();
  await (await connected).query(statement);
}

/** A new store on the suite's database, for as long as the test lasts. A given clock waits for the store. */
export async function freshStore(clock?: TestClock): Promise<Store> {
  const dialect = dialectFor(await freshDatabase(), pino({ level: 'silent' }));
  const store = await openStore(clock ? waitedFor(dialect, clock) : dialect);
  onTestFinished(() => store.destroy());
  return store;
}

/** A server answers in its own time, during which a clock that only the test moves must stand still. */
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

/** A process's hold on a database that outlives the process. */
export interface Life {
  readonly url: string;
  /** The process dies: its later calls reach no database, and its open transactions never happened. */
  end(): void;
}

/** A database for processes that die, for which the clock waits. On SQLite a single process lives at a time. */
export async function mortalDatabase(clock: Pick<TestClock, 'waitFor'>): Promise<() => Promise<Life>> {
  return suiteDatabase === 'sqlite' ? mortalFile() : mortalServer(await freshDatabase(), clock);
}

/** Linux's files in memory, for tests that wait for no disk: a process that dies leaves both kinds of file alike. */
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
        // The committed rows, as a successor finds them on the disk.
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
  // Before the hooks of the test that uses the database, and so run after them.
  onTestFinished(async () => void (await Promise.all(relays.map((relay) => relay.close()))));
  return async () => {
    for (const port of dead.splice(0)) await sessionEnded(database, port);
    // Where further processes live, their rows must stay, and the dead process's time runs out by itself.
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

/** The server notices by itself that a client is gone, after finishing the client's last statement. */
async function sessionEnded(database: string, port: number): Promise<void> {
  const still = `select pg_terminate_backend(pid) from pg_stat_activity where client_port = ${port}`;
  while ((await administer(database, still)) > 0);
}

/** Runs after the test; a database made once for a whole file ends with the server. */
function afterwards(end: () => Promise<unknown>): void {
  try {
    onTestFinished(async () => void (await end()));
  } catch {
    // Not inside a test.
  }
}
