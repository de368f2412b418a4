/**
 * Whether `list` grows slower as more servers run: a whole bot with 3,000 running deployments on SQLite, all of them
 * deployed from chat, against a bot with 30. Each list shows the first ten. Edgegap answers both alike. Once a minute the
 * bot compares all deployments with Edgegap's list, and that work shares the rate limit of list: reported apart.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock as clock, sleep } from '../src/clock.ts';
import { dialectFor, openStore } from '../src/store/store.ts';
import type { Bench } from './support/bench.ts';
import { deploymentRows, insertAll } from './support/deployments.ts';
import { startListedEdgegap } from './support/listed-edgegap.ts';
import { startMemoryBot } from './support/memory-bot.ts';

const FEW = 30;
const MANY = 3_000;
/** So many that the next comparison, a minute after the start, is still ahead at the end. */
const ROUNDS = 200;
const WARM_UP = 20;
/** So many request_ids the bot names in a list call that compares. */
const COMPARED_AT_ONCE = 50;
/** Ten calls a second are the limit; a permit comes back a second after the answer. */
const PACE_MS = 120;

export const bench: Bench = {
  about: 'The p99 of list with 3,000 running deployments, against 30; one call to Edgegap a page.',
  bar: { atMost: 1.5 },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const few = await open(join(folder, 'few.db'), FEW);
    const many = await open(join(folder, 'many.db'), MANY);
    try {
      const during = await whileComparing(many);
      print(`while all ${MANY} are compared: ${figures(during)}, ${during.length} lists`);
      for (let round = 0; round < WARM_UP; round++) for (const side of [few, many]) await timed(side);
      const times = { few: [] as number[], many: [] as number[] };
      const before = [few.pages(), many.pages()] as const;
      for (let round = 0; round < ROUNDS; round++) {
        times.few.push(await timed(few));
        times.many.push(await timed(many));
      }
      const calls = [few.pages() - before[0], many.pages() - before[1]].map((count) => count / ROUNDS);
      print(`${FEW} deployments: ${figures(times.few)}, ${calls[0]?.toFixed(2)} calls to Edgegap a page`);
      print(`${MANY} deployments: ${figures(times.many)}, ${calls[1]?.toFixed(2)} calls to Edgegap a page`);
      const wrong = calls.some((each) => each !== 1) ? ['a page took more or less than one call'] : [];
      return { ratio: p(times.many, 0.99) / p(times.few, 0.99), wrong };
    } finally {
      await few.close();
      await many.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Side = Awaited<ReturnType<typeof open>>;

async function open(database: string, count: number) {
  const store = await openStore(dialectFor(database, pino({ level: 'silent' })));
  const now = Date.now();
  const rows = deploymentRows(count, (index) => ({
    account: 'default',
    request_id: randomBytes(6).toString('hex'),
    phase: 'live',
    status: 'READY',
    created_at: now - index * 1_000,
    ready_at: now - index * 1_000,
  }));
  await insertAll(store, rows);
  await store.destroy();
  const edgegap = await startListedEdgegap(rows.map(({ request_id }) => String(request_id)));
  const bot = await startMemoryBot({
    DATABASE_URL: database,
    EDGEGAP_API_URL: edgegap.url,
    EDGEGAP_API_TOKEN: 'bench',
    EDGEGAP_SHARE: '100',
  });
  let said = 0;
  return {
    count,
    pages: () => edgegap.lists.filter(({ forPeople }) => forPeople).length,
    compared: () => edgegap.lists.filter(({ forPeople }) => !forPeople).length,
    async list(): Promise<void> {
      const answer = await bot.say(`list-${said++}`, 'list');
      const title = answer?.kind === 'card' ? answer.title.join('') : '';
      if (title !== `${count} active deployments`) throw new Error(`The answer to list is: ${title}`);
    },
    async close(): Promise<void> {
      await bot.stop();
      await edgegap.close();
    },
  };
}

/** Milliseconds of one list, and then a pause, so that no list waits for the rate limit. */
async function timed(side: Side): Promise<number> {
  const start = performance.now();
  await side.list();
  const took = performance.now() - start;
  await sleep(clock, PACE_MS / 2);
  return took;
}

/** Milliseconds of each list that was asked for while the bot, after its start, compared all deployments. */
async function whileComparing(side: Side): Promise<number[]> {
  const times: number[] = [];
  while (side.compared() < side.count / COMPARED_AT_ONCE) {
    times.push(await timed(side));
    await sleep(clock, 4 * PACE_MS);
  }
  // Until permits of the last calls are back.
  await sleep(clock, 2_000);
  return times;
}

function p(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? Number.NaN;
}

function figures(times: readonly number[]): string {
  return `p50 ${p(times, 0.5).toFixed(1)} ms, p99 ${p(times, 0.99).toFixed(1)} ms`;
}
