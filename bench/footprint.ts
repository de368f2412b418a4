/**
 * Measures the start time and the idle memory of the bot before the first command. The bot is built, and runs with the
 * compile cache and the Node.js options of the image. It is compared with a minimal process of discord.js and Bolt. All
 * measured programs are connected to Discord and Slack. A bot with 20,000 running deployments in its database is also
 * compared with a bot without deployments.
 */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock as clock, sleep } from '../src/clock.ts';
import { dialectFor, openStore } from '../src/store/store.ts';
import { build } from '../test/support/build.ts';
import { createDiscordDriver, type DiscordDriver } from '../test/support/discord-driver.ts';
import { createSlackDriver } from '../test/support/slack-driver.ts';
import type { Bench } from './support/bench.ts';
import { deploymentRows, insertAll } from './support/deployments.ts';
import { startListedEdgegap } from './support/listed-edgegap.ts';
import { IMAGE_OPTIONS, type Program, startMeasured } from './support/measured-process.ts';
import { median } from './support/median.ts';

const KNOWN = 20_000;
const ROUNDS = 5;
/** After this time, a start has finished all its work. */
const IDLE_MS = 5_000;

export const bench: Bench = {
  about: 'The start and the idle memory of the built bot, against a bare process of discord.js and Bolt.',
  bar: { atMost: 1.5 },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const built = await build('footprint');
    // Each program has its own local Discord, because the local Discord accepts only its newest session. A bot with an
    // unknown session waits for half a second before it logs in.
    const discords = await Promise.all([createDiscordDriver(), createDiscordDriver(), createDiscordDriver()]);
    const [discordOfBare, discordOfOurs, discordOfKnown] = discords;
    const slack = await createSlackDriver({ mode: 'socket' });
    const ids = Array.from({ length: KNOWN }, () => randomBytes(6).toString('hex'));
    const edgegap = await startListedEdgegap(ids);
    await fill(join(folder, 'known.db'), ids);
    const chat = { ...slack.environment, NODE_ENV: 'production' };
    const bot = (discord: DiscordDriver, database: string): Program => ({
      file: join(built, 'src/main.js'),
      environment: {
        ...chat,
        ...discord.environment,
        NODE_COMPILE_CACHE: join(folder, 'compiled'),
        NODE_OPTIONS: IMAGE_OPTIONS,
        DATABASE_URL: join(folder, database),
        EDGEGAP_API_URL: edgegap.url,
        EDGEGAP_API_TOKEN: 'bench',
        PORT: '0',
      },
      readyWords: ['"msg":"started"', '"msg":"Discord gateway', '"msg":"slack: connected"'],
    });
    const bare: Program = {
      file: join(built, 'bench/support/bare-process.js'),
      environment: { ...chat, ...discordOfBare.environment },
      readyWords: ['Discord is ready', 'Slack is ready'],
    };
    const ours = bot(discordOfOurs, 'none.db');
    const known = bot(discordOfKnown, 'known.db');
    try {
      // The first start of each program is not counted, because it fills the caches that later starts read.
      for (const program of [bare, ours, known]) await measure(program);
      const rounds: Record<Side, Measured>[] = [];
      for (let round = 0; round < ROUNDS; round++)
        rounds.push({ bare: await measure(bare), ours: await measure(ours), known: await measure(known) });
      const middle = (figure: (round: Record<Side, Measured>) => number) =>
        median(rounds.map(figure)).toFixed(2);
      for (const side of ['bare', 'ours', 'known'] as const)
        print(
          `${side}: start ${middle((one) => one[side].wallMs)} ms, of processors ${middle((one) => one[side].cpuMs)} ms, idle ${middle((one) => one[side].idleMiB)} MiB`,
        );
      const against = (a: Side, b: Side, of: keyof Measured) =>
        median(rounds.map((round) => round[a][of] / round[b][of]));
      print(
        `the start by the clock, against the bare process: ${against('ours', 'bare', 'wallMs').toFixed(2)}`,
      );
      const figures = [
        ['the idle memory, against the bare process', against('ours', 'bare', 'idleMiB'), 1.35],
        [`the start with ${KNOWN} deployments, against none`, against('known', 'ours', 'cpuMs'), 1.5],
        [`the idle memory with ${KNOWN} deployments, against none`, against('known', 'ours', 'idleMiB'), 1.5],
      ] as const;
      for (const [name, value] of figures) print(`${name}: ${value.toFixed(2)}`);
      const wrong = figures
        .filter(([, value, most]) => !(value <= most))
        .map(([name, value, most]) => `${name}, is ${value.toFixed(2)}, and may be ${most}`);
      return { ratio: against('ours', 'bare', 'cpuMs'), wrong };
    } finally {
      for (const discord of discords) await discord.close();
      await slack.close();
      await edgegap.close();
      await rm(folder, { recursive: true, force: true });
      await rm(built, { recursive: true, force: true });
    }
  },
};

type Side = 'bare' | 'ours' | 'known';

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly idleMiB: number;
}

async function measure(program: Program): Promise<Measured> {
  const { atStart, usage, stop } = await startMeasured(program);
  await sleep(clock, IDLE_MS);
  const { memoryMiB: idleMiB } = await usage();
  await stop();
  return { ...atStart, idleMiB };
}

/** The part of a status that the bot stores from Edgegap's answers. */
function statusOf(request_id: string): object {
  const fqdn = `${request_id}.pr.edgegap.net`;
  const port = { name: 'gameport', link: `${fqdn}:31504`, internal: 7777, external: 31_504, protocol: 'UDP' };
  return {
    request_id,
    fqdn,
    public_ip: '198.51.100.1',
    app_name: 'kart-racing',
    app_version: 'v1.2',
    current_status: 'READY',
    running: true,
    error: false,
    start_time: '2026-03-03 16:02:09.360719',
    elapsed_time: 120,
    max_duration: -1,
    ports: { gameport: port },
    location: {
      city: 'Montreal',
      country: 'Canada',
      continent: 'North America',
      latitude: 45.5,
      longitude: -73.6,
    },
    tags: [],
  };
}

async function fill(database: string, ids: readonly string[]): Promise<void> {
  const store = await openStore(dialectFor(database, pino({ level: 'silent' })));
  const now = Date.now();
  const rows = deploymentRows(ids.length, (index) => ({
    account: 'default',
    request_id: ids[index] ?? null,
    phase: 'live',
    status: 'READY',
    snapshot_json: JSON.stringify(statusOf(ids[index] ?? '')),
    tags_json: '[]',
    created_at: now - index * 1_000,
    ready_at: now - index * 1_000,
  }));
  await insertAll(store, rows);
  await store.destroy();
}
