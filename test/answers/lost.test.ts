import { afterEach, describe, expect, test } from 'vitest';
import { deployElsewhere, type Stage, stageOn } from '../command/harness.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { flags } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(() => stage.close());

const answers = async () => [
  ...(await stage.driver.channel()),
  ...(await stage.driver.privately('operator')),
];
const log = (text: string) => stage.bot.log.some((line) => line.includes(text));
const OWED = 'the answer is left to the outbox';

describe('answers that Discord loses', () => {
  const server = () => (stage.driver as DiscordDriver).server;
  const ask = (command: string) =>
    server().command((stage.driver as DiscordDriver).user('operator'), command, []);
  const thinking = () =>
    server()
      .rest.messages.all()
      .filter((one) => one.flags & flags.loading);

  test.each([
    ['the first response', 1, 'active servers'],
    ['the first response and its repeat', 2, 'Discord cannot be reached'],
    ['every response, including the error message', 4, 'Discord cannot be reached'],
  ])(
    'if %s reached Discord but the confirmation was lost, the bot still fills in the announced answer',
    async (_, times, text) => {
      stage = await stageOn('discord');
      server().fault({ on: /\/callback$/, afterEffect: true, answer: 'reset', times });
      ask('list');
      stage.speed(5);
      await until(async () => (await answers()).some((one) => one.text.includes(text)), 'the answer');
      await stage.bot.app.settled();
      expect(await answers()).toHaveLength(1);
      expect(thinking()).toEqual([]);
      expect(server().violations).toEqual([]);
    },
  );

  test('a Discord command that another process has acknowledged is not carried out', async () => {
    stage = await stageOn('discord');
    const asked = stage.simulator.requests.length;
    const taken = {
      status: 400,
      body: { code: 40060, message: 'Interaction has already been acknowledged.' },
    };
    server().fault({ on: /\/callback$/, answer: taken, times: 2 });
    ask('list');
    await until(() => log('"outcome":"unanswered"'), 'the end of it');
    await stage.bot.app.settled();
    expect(stage.simulator.requests.slice(asked)).toEqual([]);
    expect(await answers()).toEqual([]);
  });

  test('a command that Discord sends twice is carried out once', async () => {
    stage = await stageOn('discord');
    const asked = stage.simulator.requests.length;
    server().fault({ on: /\/callback$/, afterEffect: true, answer: 'reset' });
    server().redeliver(ask('list'));
    await until(() => log('"outcome":"repeat"'), 'the repeat to be known');
    await until(async () => (await answers()).length === 1, 'the answer');
    await stage.bot.app.settled();
    const listings = stage.simulator.requests.slice(asked).filter(({ endpoint }) => endpoint === 'list');
    expect(listings).toHaveLength(1);
  });

  test("if the interaction's token no longer works, the failure of a stop is reported in the channel", async () => {
    stage = await stageOn('discord');
    const { driver, simulator } = stage;
    const deployment = await deployElsewhere(simulator, 'lobby-chat', 'stable');
    await driver.command('operator', 'stop', { deployment });
    await until(
      async () => (await driver.privately('operator')).some(({ buttons }) => buttons.includes('Stop it')),
      'the question',
    );
    const gone = { status: 404, body: { code: 10015, message: 'Unknown Webhook' } };
    server().fault({ on: /^(PATCH|POST) \/webhooks/, answer: gone, times: 50 });
    simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before' }, 3);
    await driver.press('operator', 'Stop it');
    await until(() => log('the answer could not be delivered'), 'the end of it');
    stage.speed(20);
    await until(
      async () =>
        (await driver.channel()).some(({ text }) =>
          /could not show you the answer to your `?stop/.test(text),
        ),
      'word of it',
    );
  });

  test.each([
    ['does not accept', { status: 503 }, 3],
    ['delays with a 429', { status: 429, headers: { 'retry-after': '6' }, body: { retry_after: 6 } }, 1],
  ])('an answer that Discord %s at first is given later', async (_, answer, times) => {
    stage = await stageOn('discord');
    server().fault({ on: /^PATCH \/webhooks/, answer, times });
    ask('list');
    await until(() => log(OWED), 'the answer to be owed', 40_000);
    stage.speed(20);
    await until(async () => (await answers()).length === 1, 'the answer', 40_000);
    await stage.bot.app.settled();
    expect((await answers())[0]?.text).toContain('active servers');
    expect(thinking()).toEqual([]);
  });
});

describe.each(['slack-socket', 'slack-http'] as const)('answers that Slack loses on %s', (name) => {
  test('a private answer that Slack does not accept at first is given to the same person later', async () => {
    stage = await stageOn(name);
    const { faults } = (stage.driver as SlackDriver).server;
    for (const method of ['response_url', 'chat.postEphemeral', 'chat.postMessage'])
      faults.inject(method, { kind: 'status', status: 503, when: 'before' });
    const asked = stage.driver.command('operator', 'list');
    await until(() => log(OWED), 'the answer to be owed');
    stage.speed(20);
    await asked;
    await until(async () => (await answers()).length === 1, 'the answer');
    await stage.bot.app.settled();
    expect((await stage.driver.privately('operator')).map(({ text }) => text)).toEqual([
      expect.stringContaining('active servers'),
    ]);
    expect(await stage.driver.channel()).toEqual([]);
  });

  test.each([
    ['reader', 0, 'You may not change servers here.'],
    ['operator', 9, 'I could not ask Slack what you may do'],
  ] as const)(
    'if Slack does not accept the refusal of a mention at first, the %s gets the refusal later',
    async (persona, unknown, text) => {
      stage = await stageOn(name);
      const driver = stage.driver as SlackDriver;
      const { faults } = driver.server;
      if (unknown) faults.inject('users.info', { kind: 'status', status: 503, when: 'before' }, unknown);
      faults.inject('chat.postEphemeral', { kind: 'rate-limit', retryAfter: 2 });
      faults.inject('chat.postMessage', { kind: 'status', status: 503, when: 'before' });
      await driver.mention(persona, 'deploy kart-racing v1.2 --near Montreal');
      await until(() => log(OWED), 'the refusal to be owed');
      stage.speed(20);
      const told = async () => (await driver.privately(persona)).map((one) => one.text);
      await until(async () => (await told()).length > 0, 'the refusal');
      await stage.bot.app.settled();
      expect(await told()).toEqual([expect.stringContaining(text)]);
      expect((await driver.channel()).filter((one) => !one.text.includes('deploy kart-racing'))).toEqual([]);
      expect(stage.simulator.deployments.size).toBe(0);
    },
  );
});
