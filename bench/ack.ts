/**
 * Measures how long a platform waits for the acknowledgement at 200 requests per second. A is the bot, with all its
 * steps: check the person's rights, parse, look up, store, acknowledge, run, answer. B is a minimal process of Bolt and
 * discord.js that acknowledges and answers with one line. Slack's requests are signed HTTP requests, and the time ends
 * with the HTTP answer. Discord's interactions arrive through the gateway, and the time ends when Discord receives the
 * acknowledgement.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/clock.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { AT_ONCE } from '../test/command/harness.ts';
import { createDiscordDriver, type DiscordDriver, groupIds } from '../test/support/discord-driver.ts';
import { createSlackDriver, type SlackDriver } from '../test/support/slack-driver.ts';
import { signedRequest } from '../test/support/slack-inbound.ts';
import { slashPayload } from '../test/support/slack-payloads.ts';
import { until } from '../test/support/test-clock.ts';
import type { BareAnswers } from './support/bare-answers-process.ts';
import type { Bench } from './support/bench.ts';
import { IMAGE_OPTIONS, startMeasured } from './support/measured-process.ts';
import { median } from './support/median.ts';
import { type PacedLoader, paced, startPacedLoader } from './support/paced-load.ts';

const A_SECOND = 200;
const EVERY_MS = 1_000 / A_SECOND;
/** The number of requests in one round, for each side and each platform. */
const BATCH = 400;
const ROUNDS = 16;
/** Edgegap answers 16 status calls per second, so only one request in twenty reads a status. */
const STATUS_EVERY = 20;
/** A change also needs calls to Edgegap, so fewer changes are sent per second. */
const CHANGES = { each: 40, everyMs: 100 } as const;
const MOST = 1.25;

/** A measured program with its own local Slack and local Discord. */
interface Side {
  readonly slack: SlackDriver;
  readonly discord: DiscordDriver;
  readonly origin: string;
  /** The processor time that the program has used so far, in milliseconds. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

export const bench: Bench = {
  about:
    'From a request to its acknowledgement, 200 a second, on Slack and Discord, against bare Bolt and discord.js.',
  bar: { atMost: MOST },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const simulator = await startSimulator({ clock: systemClock, ...AT_ONCE });
    const loader = startPacedLoader();
    const bot = await startSide(join(import.meta.dirname, '..', 'src/main.ts'), (slack) => ({
      EDGEGAP_API_TOKEN: simulator.token,
      EDGEGAP_API_URL: simulator.url,
      DATABASE_URL: join(folder, 'bot.db'),
      PERSON_REQUESTS: '0',
      DISCORD_OPERATOR_ROLES: groupIds.operators,
      SLACK_OPERATORS: slack.groupIds.operators,
      NODE_ENV: 'production',
      NODE_OPTIONS: IMAGE_OPTIONS,
    }));
    // Both sides send the same answer, so that the local platforms have the same work with both of them.
    const answers = JSON.stringify(await helpOf(bot));
    const bare = await startSide(join(import.meta.dirname, 'support/bare-answers-process.ts'), () => ({
      ANSWERS: answers,
    }));
    try {
      await bot.slack.slash('operator', 'deploy kart-racing v1.2 --near Montreal');
      const id = await until(() => [...simulator.deployments.keys()][0], 'the deployment');
      const isReady = async () => (await bot.slack.channel()).some(({ text }) => text.includes('is ready'));
      await until(isReady, 'the server', 30_000);
      const rounds: Round[] = [];
      for (let round = -1; round < ROUNDS; round++)
        for (const platform of ['slack', 'discord'] as const) {
          const ours = await measure(bot, platform, id, loader);
          const theirs = await measure(bare, platform, id, loader);
          // The first round is not counted, because it fills the caches of both sides.
          if (round >= 0) rounds.push({ platform, ours, theirs });
        }
      const ratios = (['slack', 'discord'] as const).map((platform) => {
        const of = rounds.filter((round) => round.platform === platform);
        const p99 = of.map(({ ours, theirs }) => percentile(ours.each, 0.99) / percentile(theirs.each, 0.99));
        const cpu = of.map(({ ours, theirs }) => ours.cpuMs / theirs.cpuMs);
        for (const [name, side] of [
          ['the bot', 'ours'],
          ['bare', 'theirs'],
        ] as const)
          print(`${platform}, ${name}: ${figures(of.flatMap((round) => round[side].each))}`);
        print(
          `${platform}: p99 A/B median ${median(p99).toFixed(2)} (${Math.min(...p99).toFixed(2)} to ${Math.max(...p99).toFixed(2)}), processor time A/B median ${median(cpu).toFixed(2)}`,
        );
        return median(p99);
      });
      const changes = Array.from({ length: CHANGES.each }, () => `stop ${id}`);
      const stored = await onSlack(bot, changes, loader, CHANGES.everyMs);
      print(`a change on Slack, which is stored first: ${figures(stored)}`);
      return { ratio: Math.max(...ratios) };
    } finally {
      await loader.close();
      await bot.stop();
      await bare.stop();
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** The bot's answer to `help`, as each platform received it. */
async function helpOf({ slack, discord }: Side): Promise<BareAnswers> {
  await slack.slash('operator', 'help');
  const { text = '', blocks = [] } = await until(() => slack.server.ephemerals.at(-1), 'the help on Slack');
  await discord.command('operator', 'help');
  const { messages } = discord.server.rest;
  const { components } = await until(
    () => messages.all().findLast((message) => message.components.length > 0),
    'the help on Discord',
  );
  return { slack: { text, blocks }, discord: { components } };
}

interface Measured {
  /** Milliseconds from each request to its acknowledgement. */
  readonly each: readonly number[];
  /** The processor time of all requests together, in milliseconds. */
  readonly cpuMs: number;
}

interface Round {
  readonly platform: 'slack' | 'discord';
  readonly ours: Measured;
  readonly theirs: Measured;
}

async function measure(
  side: Side,
  platform: Round['platform'],
  id: string,
  loader: PacedLoader,
): Promise<Measured> {
  const texts = Array.from({ length: BATCH }, (_, nth) =>
    nth % STATUS_EVERY === 0 ? `status ${id}` : 'help',
  );
  const before = await side.cpuMs();
  const each = await (platform === 'slack' ? onSlack(side, texts, loader) : onDiscord(side, texts));
  return { each, cpuMs: (await side.cpuMs()) - before };
}

async function startSide(
  file: string,
  environment: (slack: SlackDriver) => Readonly<Record<string, string>>,
): Promise<Side> {
  const slack = await createSlackDriver({ mode: 'http' });
  const discord = await createDiscordDriver();
  const port = await freePort();
  const program = await startMeasured({
    file,
    environment: {
      ...slack.environment,
      ...discord.environment,
      DISCORD_REGISTER: '0',
      HOST: '127.0.0.1',
      PORT: String(port),
      ...environment(slack),
    },
    readyWords: file.endsWith('main.ts')
      ? ['"msg":"started"', '"msg":"Discord gateway']
      : ['Discord is ready', 'Slack is ready'],
  });
  const origin = `http://127.0.0.1:${port}`;
  await slack.ready({ url: origin });
  return {
    slack,
    discord,
    origin,
    cpuMs: async () => (await program.usage()).cpuMs,
    async stop() {
      await program.stop();
      await slack.close();
      await discord.close();
    },
  };
}

let requests = 0;

function onSlack({ slack, origin }: Side, texts: readonly string[], loader: PacedLoader, everyMs = EVERY_MS) {
  const { world, urls, origin: local } = slack.server;
  const user = world.users.operator;
  const channel = world.channels.team;
  const posts = texts.map((text) => {
    const responseUrl = `${local}${urls.issue({ user, channel, source: undefined })}`;
    const trigger = `bench-${++requests}`;
    return signedRequest(
      'slash_commands',
      slashPayload(world, { user, channel, text, trigger, responseUrl }),
    );
  });
  return loader.run({ origin, path: '/slack/events', everyMs, posts });
}

async function onDiscord({ discord }: Side, texts: readonly string[]): Promise<number[]> {
  const { server, user } = discord;
  return await paced(texts, EVERY_MS, async (text) => {
    const [name = '', deployment] = text.split(' ');
    const start = performance.now();
    const options = deployment === undefined ? [] : [{ name: 'deployment', type: 3, value: deployment }];
    await server.rest.interactions.responded(server.command(user('operator'), name, options));
    return performance.now() - start;
  });
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function figures(values: readonly number[]): string {
  const [half, most] = [0.5, 0.99].map((part) => percentile(values, part).toFixed(1));
  return `p50 ${half} ms, p99 ${most} ms`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (typeof address !== 'object' || !address) throw new Error('There is no free port');
  return address.port;
}
