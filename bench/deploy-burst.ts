/**
 * Measures how long the bot takes if 400 people deploy at once. Edgegap's documented limit is 40 deploys per second, so
 * the burst should take 400 / 40 = 10 s. The time begins with the first request of a person and ends with the last
 * answer. No program can take less than 9 s: it can send the first 40 deploys at once, and the last 40 deploys nine
 * seconds later. The simulator, in a separate process, counts and refuses deploys as Edgegap does.
 *
 * The target applies to the steps of a deploy on a SQLite file: commit the intent, wait for a permit, send the request,
 * commit the answer. Two further figures have no target. For the first, three processes share a PostgreSQL and the
 * limit. For the second, the whole bot on SQLite also stores each invocation, edits the cards and receives 400
 * callbacks.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock as clock } from '../src/clock.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import type { Bench } from './support/bench.ts';
import { type Deployer, startDeployer } from './support/processes.ts';

const DEPLOYS = 400;
const LIMIT = 40;
const IDEAL_MS = (DEPLOYS / LIMIT) * 1_000;

interface Burst {
  readonly ratio: number;
  readonly wrong: string[];
}

export const bench: Bench = {
  about: '400 deploys at once, from asked to answered, against 400/40 = 10 s; no 429.',
  bar: { atMost: 1.05 },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const alone = await burst('one process on SQLite', 'deploy', [join(folder, 'bench.db')], print);
    const postgres = await startPostgres();
    const url = `${postgres.url}/postgres`;
    const shared = await burst('three processes on PostgreSQL', 'deploy', [url, url, url], print);
    await postgres.stop();
    const whole = await burst('the whole bot on SQLite', 'bot', [join(folder, 'bot.db')], print);
    await rm(folder, { recursive: true, force: true });
    return { ratio: alone.ratio, wrong: [...alone.wrong, ...shared.wrong, ...whole.wrong] };
  },
};

async function burst(
  title: string,
  script: 'deploy' | 'bot',
  databases: readonly string[],
  print: (line: string) => void,
): Promise<Burst> {
  const simulator = await startSimulator({ clock });
  const settings = {
    EDGEGAP_API_URL: simulator.url,
    EDGEGAP_API_TOKEN: simulator.token,
    EDGEGAP_SHARE: '100',
  };
  const deployers: Deployer[] = [];
  for (const DATABASE_URL of databases)
    deployers.push(await startDeployer(script, { ...settings, DATABASE_URL }));
  const asks = Array.from({ length: DEPLOYS }, (_, index) => ({ id: `burst-${index}`, tag: `n${index}` }));
  const from = clock.now();
  const done = await Promise.all(
    deployers.map((deployer, which) =>
      deployer.deploy(asks.filter((_, index) => index % deployers.length === which)),
    ),
  );
  const tookMs = clock.now() - from;

  const deploys = simulator.requests.filter(({ endpoint }) => endpoint === 'deploy');
  const arrivals = deploys.map(({ at }) => at - from);
  const order = deploys.map(({ body }) => Number((body as { tags: string[] }).tags[0]?.slice(1)));
  const tooMany = simulator.requests.filter(({ status }) => status === 429).length;
  const ratio = tookMs / IDEAL_MS;
  const overtaken = Math.max(...order.map((index, place) => index - place));
  const peaks = done.map(({ peakMiB }) => `${Math.round(peakMiB)} MiB`).join(', ');
  print(
    `${title}: ${simulator.deployments.size} deployed, ${(tookMs / 1_000).toFixed(2)} s from asked to answered, ratio ${ratio.toFixed(3)}`,
  );
  print(
    `  requests: first after ${arrivals[0]} ms, last after ${arrivals.at(-1)} ms; at most ${most(arrivals)} in a second; 429: ${tooMany}`,
  );
  print(`  a deploy came at most ${overtaken} places before its turn; memory at most ${peaks}`);
  for (const deployer of deployers) await deployer.kill();
  const wrong = [
    ...(tooMany > 0 ? [`${title}: ${tooMany} requests were answered 429`] : []),
    ...(new Set(order).size === DEPLOYS && simulator.deployments.size === DEPLOYS
      ? []
      : [`${title}: ${simulator.deployments.size} deployments instead of ${DEPLOYS}, one each`]),
  ];
  await simulator.close();
  return { ratio, wrong };
}

/** Returns the largest number of `times` within any second. The times are in milliseconds, earliest first. */
function most(times: readonly number[]): number {
  return Math.max(
    ...times.map((start) => times.filter((time) => time >= start && time < start + 1_000).length),
  );
}
