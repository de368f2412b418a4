import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_ONCE } from '../command/harness.ts';
import { type Bot, startBot } from '../support/bot.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { createSlackDriver, type SlackDriver } from '../support/slack-driver.ts';
import type { SlackFault } from '../support/slack-faults.ts';
import { until } from '../support/test-clock.ts';

const DEPLOY = 'deploy kart-racing v1.2 --near Montreal';

interface Stage {
  readonly driver: SlackDriver;
  readonly bot: Bot;
  readonly clock: ReturnType<typeof pacedClock>;
  /** The time of each chat.postMessage call by the bot's clock, and whether Slack accepted the message. */
  readonly posts: readonly { readonly at: number; readonly taken: boolean }[];
}

/** Opens the whole bot, with a Slack that answers chat.postMessage according to `limit`. */
async function open(limit: (posts: Stage['posts'], at: number) => SlackFault | undefined): Promise<Stage> {
  const clock = pacedClock(10);
  const posts: { at: number; taken: boolean }[] = [];
  const driver = await createSlackDriver({
    mode: 'http',
    chance(method) {
      if (method !== 'chat.postMessage') return undefined;
      const at = clock.now();
      const fault = limit(posts, at);
      posts.push({ at, taken: !fault });
      return fault;
    },
  });
  const bot = await startBot(driver, {
    clock,
    simulator: AT_ONCE,
    environment: { CONFIRM_DEPLOY: 'never' },
  });
  onTestFinished(async () => {
    await bot.stop();
    await driver.close();
  });
  return { driver, bot, clock, posts };
}

const cards = async ({ driver }: Stage) =>
  (await driver.channel()).filter(({ parent }) => parent === undefined).map(({ text }) => text);
const asides = async ({ driver }: Stage) => (await driver.privately('operator')).map(({ text }) => text);

describe('deploys while Slack limits the rate', () => {
  test("30 deploys at once in a Slack channel each get a card and a deployment, despite Slack's rate limit", async () => {
    const stage = await open((posts, at) => {
      const last = posts.findLast(({ taken }) => taken);
      return last && at - last.at < 1_000 ? { kind: 'rate-limit', retryAfter: 1 } : undefined;
    });
    for (let n = 1; n <= 30; n++) await stage.driver.slash('operator', `${DEPLOY} --tag n${n}`);
    await until(() => stage.bot.simulator.deployments.size === 30, 'all to be deployed');
    await until(async () => (await cards(stage)).filter((text) => text.includes('kart-racing')).length >= 30);
    const deployed = stage.bot.simulator.requests
      .filter(({ endpoint }) => endpoint === 'deploy')
      .map(({ body }) => (body as { tags: string[] }).tags[0]);
    // Each deploy is sent to Edgegap after its card was posted.
    expect(deployed).toEqual(Array.from({ length: 30 }, (_, index) => `n${index + 1}`));
    const told = await asides(stage);
    expect(told.length).toBeGreaterThan(0);
    expect(told.filter((text) => !text.startsWith('Slack makes me wait'))).toEqual([]);
    expect(new Set(told).size).toBeLessThanOrEqual(1);
  });

  test('during a Slack rate limit of 30 seconds, neither a command nor the outbox posts a message', async () => {
    const stage = await open(() => undefined);
    await stage.driver.slash('operator', DEPLOY);
    await until(async () => (await cards(stage)).length === 1, 'the first card');
    await until(() => stage.posts.length >= 2, 'its news');
    const limited = stage.clock.now();
    stage.driver.server.faults.inject('chat.postMessage', { kind: 'rate-limit', retryAfter: 30 });
    const before = stage.posts.length;
    await stage.driver.slash('operator', DEPLOY);
    const [first = ''] = stage.bot.simulator.deployments.keys();
    stage.bot.simulator.terminate(first);
    await until(() => stage.bot.simulator.deployments.size === 2, 'the second to be deployed');
    await until(
      async () => JSON.stringify(await stage.driver.channel()).includes(' stopped'),
      'the end to be told',
    );
    for (const { at } of stage.posts.slice(before)) expect(at - limited).toBeGreaterThanOrEqual(30_000);
    expect((await asides(stage)).map((text) => text.slice(0, 19))).toEqual(['Slack makes me wait']);
  });
});

test("if the bot stops while a card waits for Slack's rate limit, the person learns at once that the bot did nothing", async () => {
  const stage = await open(() => ({ kind: 'rate-limit', retryAfter: 600 }));
  await stage.driver.slash('operator', DEPLOY);
  await until(() => stage.posts.length === 1);
  const from = stage.clock.now();
  await stage.bot.app.stop();
  expect(stage.clock.now() - from).toBeLessThan(5_000);
  expect((await asides(stage)).at(-1)).toContain('I did nothing');
  expect(stage.bot.simulator.deployments.size).toBe(0);
});
