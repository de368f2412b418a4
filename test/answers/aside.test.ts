import { afterEach, describe, expect, test } from 'vitest';
import { deployElsewhere, type Stage, stageOn } from '../command/harness.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { permissions } from '../support/discord-world.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(() => stage.close());

const KART = { application: 'kart-racing', version: 'v1.2', near: 'Tokyo' };

/** The private message to the operator. Fails if any other person has seen a message. */
async function toldAlone(part: string): Promise<string> {
  const { driver, bot } = stage;
  const before = await driver.channel();
  const told = async () =>
    (await driver.privately('operator'))
      .map(({ text }) => text.replaceAll('\\', ''))
      .find((text) => text.includes(part));
  const text = await until(told, `the operator to be told of ${part}`);
  await bot.app.settled();
  expect(await driver.channel()).toEqual(before);
  expect(before).toEqual([]);
  return text;
}

describe.each(['discord', 'slack-socket', 'slack-http'] as const)('a refused command on %s', (name) => {
  test('a refusal to show logs is private, even if the command was acknowledged publicly', async () => {
    stage = await stageOn(name);
    const { driver, simulator } = stage;
    const deployment = await deployElsewhere(simulator, 'kart-racing', 'v1.2');
    simulator.faults.next({ endpoint: 'logs' }, { kind: 'server-error', when: 'before' }, 9);
    stage.speed(20);
    await driver.command('operator', 'logs', { deployment });
    expect(await toldAlone('Edgegap')).toMatch(/Reference [0-9a-f]{8}/);
    if (name === 'discord') expect((driver as DiscordDriver).server.rest.messages.all()).toHaveLength(1);
  });
});

test.each([
  ['deploy', { ...KART, near: 'Nowhere' }, 'locations', 'Nothing was deployed.'],
  ['stop', { deployment: '93924761ccde' }, 'status', 'Nothing was stopped.'],
] as const)(
  'if Edgegap does not answer, the answer to the command "%s" with %j says that the bot did nothing',
  async (command, values, endpoint, said) => {
    const clock = pacedClock(20);
    stage = await stageOn('slack-http', { clock });
    const { driver, simulator } = stage;
    for (const fault of [
      { kind: 'server-error', when: 'before' },
      { kind: 'reset', when: 'before' },
    ] as const) {
      // If a city was not found, the bot searches Edgegap again only after some time, and not at every keystroke.
      const later = clock.now() + 60_000;
      await until(() => clock.now() > later, 'a minute');
      simulator.faults.next({ endpoint }, fault, 9);
      await driver.command('operator', command, values);
      expect(await toldAlone(fault.kind === 'reset' ? 'broke' : 'HTTP 500')).toContain(said);
      simulator.faults.clear();
    }
  },
);

test('in a Discord channel where the bot may not post, a deploy is refused privately and starts no server', async () => {
  stage = await stageOn('discord');
  const { server } = stage.driver as DiscordDriver;
  server.rest.botPermissions = permissions.viewChannel;
  await stage.driver.command('operator', 'deploy', KART);
  expect(await toldAlone('may not post')).toMatch(/Nothing was deployed\..*Send Messages/);
  expect(server.rest.messages.all()).toHaveLength(1);
});

test('in a Slack channel without the bot, a deploy is refused privately and starts no server', async () => {
  stage = await stageOn('slack-http');
  const { server, slash } = stage.driver as SlackDriver;
  const { secret } = server.world.channels;
  await slash('operator', 'deploy kart-racing v1.2 --near Tokyo', { channel: secret });
  expect(await toldAlone('/invite')).toContain('Nothing was deployed.');
  expect(await server.web.messages(secret)).toEqual([]);
});

describe('an answer that can be shown only in the channel', () => {
  test('if Discord refuses the acknowledgement of a deploy, the bot answers in the channel and mentions the person', async () => {
    stage = await stageOn('discord');
    const { driver } = stage;
    const { server, user } = driver as DiscordDriver;
    server.fault({ on: /\/callback$/, answer: { status: 503 }, times: 4 });
    server.command(user('operator'), 'deploy', [
      { name: 'application', type: 3, value: 'kart-racing' },
      { name: 'version', type: 3, value: 'v1.2' },
      { name: 'near', type: 3, value: 'Tokyo' },
    ]);
    stage.speed(5);
    const [said] = await until(async () => {
      const messages = await driver.channel();
      return messages.length > 0 ? messages : undefined;
    }, 'word of it');
    await stage.bot.app.settled();
    expect(await driver.channel()).toHaveLength(1);
    expect(said?.text.replaceAll('\\', '')).toMatch(
      /<@500000000000000006>: `deploy kart-racing v1.2` was not carried out: Discord .*Nothing was deployed\. Ask again\./,
    );
    expect(said?.pings).toEqual([user('operator').id]);
    expect(stage.simulator.deployments.size).toBe(0);
  });
});
