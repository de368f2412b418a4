/**
 * Measures how long a suggestion takes. A bot with 5,000 versions of an application and 20,000 running deployments is
 * compared with a bot that has ten of each. Each measured suggestion belongs to one more keystroke. During the
 * measurement, only the bench advances the bot's clock, so that no other work of the bot is measured. The clock
 * advances so little that the bot does not read its lists from Edgegap again.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { sleep, systemClock } from '../src/clock.ts';
import { dialectFor, openStore } from '../src/store/store.ts';
import { startMemoryBot } from '../test/support/memory-bot.ts';
import type { Bench } from './support/bench.ts';
import { startCatalogEdgegap } from './support/catalog-edgegap.ts';
import { deploymentRows, insertAll } from './support/deployments.ts';
import { worked } from './support/hold.ts';

const FEW = { versions: 10, deployments: 10 };
const MANY = { versions: 5_000, deployments: 20_000 };
/** The maximum time of a keystroke at the 99th percentile, in milliseconds. */
const MOST_MS = 50;
const ROUNDS = 40;
const WARM_UP = 5;
/** The time between two rounds. The bot polls the store for news once in five rounds. */
const ROUND_MS = 200;
/**
 * The clock advances by this time before the warm-up. The first keystroke then refreshes the lists of the catalogue, so
 * that all lists are fresh during the measurement.
 */
const AGED_MS = 20_000;
/**
 * The texts that a person types: an empty text, the beginning of a name, a part of a name, words in a different order,
 * and a text without a match.
 */
const TYPED = ['', 'v', '49', 'Ready MONTREAL', 'zzz'];

export const bench: Bench = {
  about: `The p99 of a suggestion at ${MANY.versions} versions and ${MANY.deployments} deployments, against ${FEW.versions} and ${FEW.deployments}; at most ${MOST_MS} ms, and no call to Edgegap.`,
  bar: undefined,
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const few = await open(join(folder, 'few.db'), FEW);
    const many = await open(join(folder, 'many.db'), MANY);
    try {
      for (const side of [few, many]) {
        side.pass(AGED_MS);
        for (let round = 0; round < WARM_UP; round++) await type(side);
        await sleep(systemClock, 2_000);
      }
      const calls = few.calls() + many.calls();
      const times = { few: [] as Timed[], many: [] as Timed[] };
      for (let round = 0; round < ROUNDS; round++) {
        for (const side of [few, many]) side.pass(ROUND_MS);
        times.few.push(...(await type(few)));
        times.many.push(...(await type(many)));
      }
      print(`${FEW.versions} versions, ${FEW.deployments} deployments: ${figures(times.few)}`);
      print(`${MANY.versions} versions, ${MANY.deployments} deployments: ${figures(times.many)}`);
      const asked = few.calls() + many.calls() - calls;
      const work = p99(times.many.map((one) => one.work));
      const wrong = [
        ...(work > MOST_MS ? [`a suggestion took ${work.toFixed(1)} ms of work`] : []),
        ...(asked > 0 ? [`Edgegap was asked ${asked} times`] : []),
      ];
      return { ratio: work / p99(times.few.map((one) => one.work)), wrong };
    } finally {
      await few.close();
      await many.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Side = Awaited<ReturnType<typeof open>>;

async function open(database: string, { versions, deployments }: typeof FEW) {
  const store = await openStore(dialectFor(database, pino({ level: 'silent' })));
  const now = Date.now();
  const rows = deploymentRows(deployments, (index) => {
    const request_id = randomBytes(6).toString('hex');
    const location = { city: index % 2 === 0 ? 'Montreal' : 'São Paulo', country: 'somewhere' };
    const snapshot = { request_id, current_status: 'READY', tags: ['qa'], ports: {}, location };
    const times = { created_at: now - index * 1_000, ready_at: now - index * 1_000 };
    const state = { phase: 'live', status: 'READY', snapshot_json: JSON.stringify(snapshot) };
    return { account: 'default', request_id, heard_at: now - 3_600_000, ...state, ...times };
  });
  await insertAll(store, rows);
  await store.destroy();
  const edgegap = await startCatalogEdgegap(versions);
  const settings = { DATABASE_URL: database, EDGEGAP_API_URL: edgegap.url, EDGEGAP_API_TOKEN: 'bench' };
  let held: number | undefined;
  const clock = {
    now: () => held ?? Date.now(),
    after: (ms: number, run: () => void) => systemClock.after(ms, () => held === undefined && run()),
  };
  const bot = await startMemoryBot(settings, clock);
  await bot.warmed();
  held = Date.now();
  // Waits until other work that the bot has started is done.
  await sleep(systemClock, 2_000);
  return {
    suggest: bot.suggest,
    calls: () => edgegap.calls(),
    pass(ms: number): void {
      held = clock.now() + ms;
    },
    async close(): Promise<void> {
      held = undefined;
      await bot.stop();
      await edgegap.close();
    },
  };
}

interface Timed {
  /**
   * `took` is the time from the request for a suggestion to the answer, in milliseconds. `work` is how much of this
   * time the thread was busy.
   */
  readonly took: number;
  readonly work: number;
}

/** Types each text into the version option of a deploy and into the deployment option of a stop, as a person would. */
async function type({ suggest }: Side): Promise<Timed[]> {
  const times: Timed[] = [];
  for (const [command, option] of [
    ['deploy', 'version'],
    ['stop', 'deployment'],
  ] as const)
    for (const typed of TYPED) {
      const [start, before] = [performance.now(), worked()];
      const offered = await suggest(command, option, typed, { application: 'kart-racing' });
      times.push({ took: performance.now() - start, work: worked() - before });
      if (typed === '' && offered.length < 10) throw new Error(`Only ${offered.length} values for ${option}`);
    }
  return times;
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;
}

function figures(times: readonly Timed[]): string {
  const [took, work] = [p99(times.map((one) => one.took)), p99(times.map((one) => one.work))];
  return `p99 ${took.toFixed(1)} ms, of which work ${work.toFixed(1)} ms; ${times.length} suggestions`;
}
