/**
 * Measures whether the store becomes slower with more rows. The same queries run on a store with 100 deployments and on
 * a store with 100,000 deployments. Both stores contain the same number of running deployments. All deployments come
 * from one channel.
 */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import { systemClock as clock } from '../src/clock.ts';
import { DeploymentRepository } from '../src/deployments/repository.ts';
import { Membership } from '../src/replicas/membership.ts';
import { isShared, type Store } from '../src/store/schema.ts';
import { dialectFor, openStore } from '../src/store/store.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import type { Bench } from './support/bench.ts';
import { deploymentRows, insertAll } from './support/deployments.ts';
import { median } from './support/median.ts';

const FEW = 100;
const MANY = 100_000;
const LIVE = 50;
const ROUNDS = 31;
const ASKED = 20;
const HOUR = 60 * 60_000;
const ACCOUNT = 'bench';
const at = { platform: 'bench', workspace: 'bench', channel: 'bench' };

export const bench: Bench = {
  about: 'Listing and look-ups in a store of 100,000 deployments, against one of 100.',
  bar: { atMost: 1.5 },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const postgres = await startPostgres();
    try {
      const admin = new Client({ connectionString: `${postgres.url}/postgres` });
      await admin.connect();
      for (const name of ['few', 'many']) await admin.query(`create database ${name}`);
      await admin.end();
      const ratios = [
        await compare(print, 'SQLite', join(folder, 'few.db'), join(folder, 'many.db')),
        await compare(print, 'PostgreSQL', `${postgres.url}/few`, `${postgres.url}/many`),
      ];
      return { ratio: Math.max(...ratios) };
    } finally {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/**
 * Returns the time of all queries in the large store, divided by their time in the small store: the median of all
 * rounds.
 */
async function compare(print: (line: string) => void, name: string, few: string, many: string) {
  const small = await openFilled(few, FEW);
  const large = await openFilled(many, MANY);
  print(`${name}: ms for one question at ${FEW} and at ${MANY} deployments`);
  const totals = Array.from({ length: ROUNDS }, () => ({ small: 0, large: 0 }));
  for (const question of Object.keys(small.ask)) {
    const times: { small: number; large: number }[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      const pair = { small: await time(small, question), large: await time(large, question) };
      const total = totals[round];
      if (!total) continue;
      times.push(pair);
      total.small += pair.small;
      total.large += pair.large;
    }
    const [a, b] = [median(times.map((one) => one.small)), median(times.map((one) => one.large))];
    print(`  ${question}: ${a.toFixed(3)} and ${b.toFixed(3)}, ratio ${(b / a).toFixed(2)}`);
  }
  await small.close();
  await large.close();
  const ratio = median(totals.map((total) => total.large / total.small));
  print(`  all of them: ratio ${ratio.toFixed(2)}`);
  return ratio;
}

type Filled = Awaited<ReturnType<typeof openFilled>>;

async function openFilled(database: string, count: number) {
  const log = pino({ level: 'silent' });
  const store = await openStore(dialectFor(database, log));
  const membership = new Membership({ store, shared: isShared(database), clock, log });
  await membership.join();
  const repository = new DeploymentRepository(store, clock);
  const ids = await fill(store, count);
  if (isShared(database)) {
    // PostgreSQL would do this later on its own.
    const client = new Client({ connectionString: database });
    await client.connect();
    await client.query('vacuum analyze');
    await client.end();
  }
  const { schedule: agenda } = repository;
  const any = () => ids[Math.floor(Math.random() * ids.length)] ?? '';
  const ask: Record<string, () => Promise<unknown>> = {
    'by a request_id': () => repository.byRequestId(ACCOUNT, any()),
    'by the beginning of one': () => repository.byPrefix(ACCOUNT, at, any().slice(0, 7), 5),
    '@last': () => repository.latest(ACCOUNT, at),
    'a page of list': () =>
      Promise.all(Array.from({ length: 10 }, () => repository.byRequestId(ACCOUNT, any()))),
    'what is due': () => agenda.claimDue(ACCOUNT, 20, HOUR),
    'what is due next': () => agenda.nextCheckAt(ACCOUNT),
    'what runs': () => agenda.believedLive(ACCOUNT, Date.now()),
    'whether anything runs': () => agenda.isAnyLive(ACCOUNT),
    'what a dead process left': () => agenda.abandoned(ACCOUNT, membership),
    'what is long over': () => agenda.purge(Date.now() - 1_000 * HOUR),
  };
  return {
    ask,
    async close() {
      await membership.leave();
      await store.destroy();
    },
  };
}

async function fill(store: Store, count: number): Promise<string[]> {
  const now = Date.now();
  const rows = deploymentRows(count, (index) => {
    const live = index < LIVE;
    const created_at = now - index * 1_000;
    return {
      request_id: randomBytes(6).toString('hex'),
      phase: live ? 'live' : 'ended',
      status: live ? 'READY' : 'TERMINATED',
      created_at,
      heard_at: created_at,
      check_at: index % 5 === 0 && live ? now + HOUR : null,
    };
  });
  await insertAll(store, rows);
  return rows.map(({ request_id }) => request_id ?? '');
}

/** Returns the time of one query, in milliseconds. */
async function time({ ask }: Filled, question: string): Promise<number> {
  const start = performance.now();
  for (let asked = 0; asked < ASKED; asked++) await ask[question]?.();
  return (performance.now() - start) / ASKED;
}
