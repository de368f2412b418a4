import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { freshDatabase } from '../support/databases.ts';
import { createDiscordDriver, groupIds } from '../support/discord-driver.ts';
import { startFront } from '../support/front.ts';
import { createSlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';
import { BotProcess, START_MS } from './bot-process.ts';

vi.setConfig({ testTimeout: 10 * START_MS, hookTimeout: START_MS });

/** The time between two commands on a platform. A channel can receive the answers in this time. */
const EVERY_MS = 800;

test('if three processes are restarted one after the other, no command is lost or carried out twice', async () => {
  // Longer than Discord's limit of three seconds, because the machine may be busy. A lost command is still noticed.
  const discord = await createDiscordDriver({ responseMs: START_MS });
  onTestFinished(() => discord.close());
  const slack = await createSlackDriver({ mode: 'http' });
  onTestFinished(() => slack.close());
  const simulator = await startSimulator({
    clock: systemClock,
    durations: { initializing: 50, seeking: 50, seeked: 50, scanning: 50, deploying: 50 },
  });
  onTestFinished(() => simulator.close());
  const front = await startFront();
  onTestFinished(() => front.close());
  const database = await freshDatabase('postgres');
  const all: BotProcess[] = [];
  onTestFinished(async () => {
    await Promise.all(all.map((bot) => bot.kill('SIGKILL')));
  });

  async function start() {
    const bot = new BotProcess({
      EDGEGAP_API_TOKEN: simulator.token,
      EDGEGAP_API_URL: simulator.url,
      DISCORD_OPERATOR_ROLES: groupIds.operators,
      SLACK_OPERATORS: slack.groupIds.operators,
      ...discord.environment,
      ...slack.environment,
      DATABASE_URL: database,
      PUBLIC_URL: front.url,
      PORT: '0',
      MAX_DEPLOYS_PER_HOUR: '0',
      CONFIRM_DEPLOY: 'never',
    });
    all.push(bot);
    const url = await bot.started();
    const ready = async () => (await fetch(`${url}/readyz`)).ok;
    await until(ready, 'the process to be ready', START_MS);
    front.backends.add(url);
    return { bot, url };
  }

  const running = [await start(), await start(), await start()];
  await slack.ready({ url: front.url });

  let going = true;
  const asked = { deploys: [] as string[], helps: 0 };
  async function stream(prefix: string, deploy: (tag: string) => Promise<void>, help: () => Promise<void>) {
    for (let i = 0; going || i % 3 !== 0; i++) {
      if (i % 3 === 0) {
        const tag = `${prefix}${i}`;
        asked.deploys.push(tag);
        await deploy(tag);
      } else {
        asked.helps++;
        await help();
      }
      await pause(EVERY_MS);
    }
  }
  const what = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
  const streams = Promise.all([
    stream(
      's',
      (tag) => slack.slash('operator', `deploy kart-racing v1.2 --near Montreal --tag ${tag}`),
      () => slack.slash('operator', 'help'),
    ),
    stream(
      'd',
      (tag) => discord.command('operator', 'deploy', { ...what, tag }),
      () => discord.command('operator', 'help'),
    ),
  ]);

  for (const [i, { bot, url }] of [...running].entries()) {
    // The load balancer regularly asks whether the process is ready, so it notices the stop.
    expect(await bot.kill('SIGTERM')).toBe(0);
    expect(bot.output).toContain('"msg":"stopped"');
    front.backends.delete(url);
    running[i] = await start();
  }
  going = false;
  await streams;

  expect(front.failures).toEqual([]);
  const tagged = () =>
    [...simulator.deployments.values()].flatMap(({ tags }) => tags.map(({ name }) => name));
  const deployed = () => asked.deploys.every((tag) => tagged().includes(tag));
  await until(deployed, 'every deployment that was asked for', START_MS);
  expect(simulator.deployments.size).toBe(asked.deploys.length);
  const ready = async () => {
    const texts = [...(await discord.channel()), ...(await slack.channel())].map(({ text }) => text);
    return [...simulator.deployments.keys()].map(
      (id) => texts.filter((text) => text.includes('is ready') && text.includes(id)).length,
    );
  };
  const told = async () => (await ready()).every((times) => times >= 1);
  await until(told, 'every one to be told of', 4 * START_MS);
  const helped = async () =>
    (await discord.privately('operator')).length + (await slack.privately('operator')).length;
  await until(async () => (await helped()) >= asked.helps, 'every answer', START_MS);

  for (const { bot } of running) expect(await bot.kill('SIGTERM')).toBe(0);
  expect(await ready()).toEqual(asked.deploys.map(() => 1));
  expect(await helped()).toBe(asked.helps);
  expect(simulator.requests.filter(({ endpoint }) => endpoint === 'deploy')).toHaveLength(
    asked.deploys.length,
  );
  expect(discord.server.gateway).toMatchObject({ mostAtOnce: 1, identifies: [{ intents: 1 }] });
  expect(discord.server.violations).toEqual([]);
});
