/**
 * Measures how much slower the bot answers callbacks because it must not lose a callback. A is the bot's receiver. It
 * compares the secret, commits the callback and answers 200. At the same time, it applies the callbacks to the
 * deployments, their cards and their channels. B is a minimal Fastify route. It commits one row to the same type of
 * store and also answers 200. A and B receive the same requests, over the same number of connections, one after the
 * other.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { type FastifyInstance, fastify } from 'fastify';
import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { dialectFor, openStore } from '../src/store/store.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import type { Bench } from './support/bench.ts';
import { type Loaded, type Loader, startLoader } from './support/load.ts';
import { median } from './support/median.ts';
import { openReceiver } from './support/receiver.ts';

const CONNECTIONS = 64;
const BATCH = 1_000;
const ROUNDS = 5;

export const bench: Bench = {
  about:
    'Callbacks answered a second, each stored durably before its answer, against a bare Fastify route with one durable insert.',
  bar: { atLeast: 0.8 },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const postgres = await startPostgres();
    const loader = startLoader();
    try {
      print('SQLite, synchronous=FULL:');
      const ratio = await compare(print, loader, {
        database: join(folder, 'ours.db'),
        bare: bareSqlite(join(folder, 'bare.db')),
      });
      print('PostgreSQL:');
      await createDatabase(postgres.url, 'ours');
      await compare(print, loader, {
        database: `${postgres.url}/ours`,
        bare: await barePostgres(`${postgres.url}/postgres`),
      });
      return { ratio };
    } finally {
      await loader.close();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Bare {
  insert(id: string, body: string): Promise<void> | void;
  close(): Promise<void> | void;
}

function bareSqlite(path: string): Bare {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  database.exec('create table callbacks (id text primary key, body text, at integer)');
  const insert = database.prepare('insert into callbacks values (?, ?, ?)');
  return { insert: (id, body) => void insert.run(id, body, Date.now()), close: () => database.close() };
}

async function barePostgres(url: string): Promise<Bare> {
  const pool = new Pool({ connectionString: url, max: 10 });
  // The pool's connections close shortly after `end` resolves. The server may have stopped before that.
  pool.on('error', () => undefined);
  await pool.query('create table callbacks (id text primary key, body text, at bigint)');
  return {
    insert: async (id, body) =>
      void (await pool.query('insert into callbacks values ($1, $2, $3)', [id, body, Date.now()])),
    close: () => pool.end(),
  };
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: `${url}/postgres` });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
}

/** Returns the rate of A divided by the rate of B: the median of all rounds. */
async function compare(
  print: (line: string) => void,
  loader: Loader,
  { database, bare }: { readonly database: string; readonly bare: Bare },
): Promise<number> {
  const ours = await openOurs(database);
  const route = await openBare(bare);
  const held = monitorEventLoopDelay({ resolution: 1 });
  const pairs: { a: Loaded; b: Loaded; heldA: number; heldB: number; told: number }[] = [];
  try {
    // The first round is not counted, because it fills the caches.
    for (let round = 0; round <= ROUNDS; round++) {
      const { posts } = await ours.deployed(BATCH);
      held.reset();
      held.enable();
      const start = performance.now();
      const a = await loader.run({ origin: ours.origin, connections: CONNECTIONS, posts });
      await ours.callbacks.idle();
      const told = performance.now() - start;
      const heldA = held.max / 1e6;
      held.reset();
      const b = await loader.run({ origin: route.origin, connections: CONNECTIONS, posts });
      held.disable();
      if (round > 0) pairs.push({ a, b, heldA, heldB: held.max / 1e6, told });
    }
    const unhandled = await ours.unhandled();
    if (unhandled > 0) throw new Error(`${unhandled} callbacks were not worked off`);
  } finally {
    await route.app.close();
    await bare.close();
    await ours.close();
  }
  const rate = ({ ms }: Loaded) => (BATCH / ms) * 1_000;
  const p99 = (side: 'a' | 'b') =>
    median(pairs.map((pair) => pair[side].each[Math.floor(BATCH * 0.99)] ?? NaN));
  const ratios = pairs.map(({ a, b }) => rate(a) / rate(b));
  const figure = (side: 'a' | 'b') =>
    `${Math.round(median(pairs.map((pair) => rate(pair[side]))))} a second, p99 ${p99(side).toFixed(1)} ms`;
  print(`  A the bot: ${figure('a')}`);
  print(`  B a bare route with one durable insert: ${figure('b')}`);
  print(
    `  rate A/B: median ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}) in ${ROUNDS} rounds of ${BATCH} over ${CONNECTIONS} connections`,
  );
  const longest = (side: 'heldA' | 'heldB') =>
    `${Math.max(...pairs.map((pair) => pair[side])).toFixed(1)} ms`;
  print(
    `  longest hold of the event loop: A ${longest('heldA')} (the news worked off included), B ${longest('heldB')}`,
  );
  print(
    `  A, from the first request until the news of all ${BATCH} is written: median ${Math.round(median(pairs.map(({ told }) => told)))} ms`,
  );
  return median(ratios);
}

async function openOurs(database: string) {
  const log = pino({ level: 'silent' });
  const store = await openStore(dialectFor(database, log));
  const receiver = await openReceiver(store, log);
  return {
    ...receiver,
    async unhandled(): Promise<number> {
      const rows = await store
        .selectFrom('callbacks')
        .select('event')
        .where('handled_at', 'is', null)
        .execute();
      return rows.length;
    },
    async close() {
      await receiver.close();
      await store.destroy();
    },
  };
}

async function openBare(bare: Bare): Promise<{ app: FastifyInstance; origin: string }> {
  const app = fastify();
  app.post<{ Params: { event: string; token: string } }>(
    '/callbacks/edgegap/:event/:token',
    async ({ params, body }) => {
      await bare.insert(params.token, JSON.stringify(body));
      return { status: 'stored' };
    },
  );
  return { app, origin: await app.listen({ port: 0, host: '127.0.0.1' }) };
}
