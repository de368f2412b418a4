/**
 * Measures whether the command `list` becomes slower with more running servers. A bot with 3,000 running deployments on
 * SQLite is compared with a bot that has 30. All deployments were made from chat. Each list shows the first ten
 * deployments. Edgegap answers both bots equally fast. Once a minute, the bot compares all deployments with Edgegap's
 * list, which uses the same rate limit as the command. The time of `list` during this comparison is reported
 * separately.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock as clock, sleep } from '../src/clock.ts';
import { dialectFor, openStore } from '../src/store/store.ts';
import { startMemoryBot } from '../test/support/memory-bot.ts';
import type { Bench } from './support/bench.ts';
import { deploymentRows, insertAll } from './support/deployments.ts';
import { worked } from './support/hold.ts';
import { startListedEdgegap } from './support/listed-edgegap.ts';

const FEW = 30;
const MANY = 3_000;
/** With this number of rounds, the bench ends before the next comparison, which starts a minute after the bot. */
const ROUNDS = 200;
const WARM_UP = 20;
/** The number of request_ids that the bot compares in one list call. */
const COMPARED_AT_ONCE = 50;
/** The limit is ten calls per second. A permit becomes free a second after the answer. */
const PACE_MS = 120;

export const bench: Bench = {
  about:
    'The p99 of the work for list with 3,000 running deployments, against 30; one call to Edgegap a page.',
  bar: { atMost: 1.5 },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const few = await open(join(folder, 'few.db'), FEW);
    const many = await open(join(folder, 'many.db'), MANY);
    try {
      const during = await whileComparing(many);
      print(`while all ${MANY} are compared: ${figures(during)}, ${during.length} lists`);
      for (let round = 0; round < WARM_UP; round++) for (const side of [few, many]) await timed(side);
      const times = { few: [] as Timed[], many: [] as Timed[] };
      const before = [few.pages(), many.pages()] as const;
      for (let round = 0; round < ROUNDS; round++) {
        // The two bots alternate as the first in a round.
        if (round % 2 === 0) times.few.push(await timed(few));
        times.many.push(await timed(many));
        if (round % 2 === 1) times.few.push(await timed(few));
      }
      const calls = [few.pages() - before[0], many.pages() - before[1]].map((count) => count / ROUNDS);
      print(`${FEW} deployments: ${figures(times.few)}, ${calls[0]?.toFixed(2)} calls to Edgegap a page`);
      print(`${MANY} deployments: ${figures(times.many)}, ${calls[1]?.toFixed(2)} calls to Edgegap a page`);
      const wrong = calls.some((each) => each !== 1) ? ['a page took more or less than one call'] : [];
      return { ratio: p99OfWork(times.many) / p99OfWork(times.few), wrong };
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
      if (title !== `${count} active servers`) throw new Error(`The answer to list is: ${title}`);
    },
    async close(): Promise<void> {
      await bot.stop();
      await edgegap.close();
    },
  };
}

interface Timed {
  /**
   * `took` is the time from the request to the answer, in milliseconds. `work` is how much of this time this thread was
   * busy.
   */
  readonly took: number;
  readonly work: number;
}

/** Requests one list and then waits, so that no list has to wait for the rate limit. */
async function timed(side: Side): Promise<Timed> {
  const [start, before] = [performance.now(), worked()];
  await side.list();
  const times = { took: performance.now() - start, work: worked() - before };
  await sleep(clock, PACE_MS / 2);
  return times;
}

/** Returns the times of the lists during the first comparison after the bot's start. */
async function whileComparing(side: Side): Promise<Timed[]> {
  const times: Timed[] = [];
  while (side.compared() < side.count / COMPARED_AT_ONCE) {
    times.push(await timed(side));
    await sleep(clock, 4 * PACE_MS);
  }
  // After this wait, the permits of the last calls are free again.
  await sleep(clock, 2_000);
  return times;
}

function p(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

/**
 * The 99th percentile of this thread's working time. The 99th percentile of the total time would depend on other
 * programs on the machine.
 */
function p99OfWork(times: readonly Timed[]): number {
  return p(
    times.map(({ work }) => work),
    0.99,
  );
}

function figures(times: readonly Timed[]): string {
  const took = times.map((one) => one.took);
  const [half, most] = [p(took, 0.5).toFixed(1), p(took, 0.99).toFixed(1)];
  return `p50 ${half} ms, p99 ${most} ms, of which work p99 ${p99OfWork(times).toFixed(1)} ms`;
}
