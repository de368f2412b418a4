import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultCatalog } from '../../src/simulator/catalog.ts';
import { type DriverName, driverNames } from '../support/bot.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';
import { deployReady, effectOf, type Stage, stageOn } from './harness.ts';

/** Text that a platform would read as markup, but that the bot treats as plain text. */
const NASTY =
  '```\n<!channel> <!here> <!everyone> <@U12345678> <!subteam^S0OPERATORS> <@500000000000000004> <@&300000000000000001> @everyone @here [x](https://evil.example) <https://evil.example|x> **bold** ||spoiler|| # head';
const SHORT = '<!channel>';
const application = '@everyone <!here>';
const catalog = {
  ...defaultCatalog,
  applications: [
    ...defaultCatalog.applications,
    ...defaultCatalog.applications
      .filter(({ name }) => name === 'kart-racing')
      .map((kart) => ({ ...kart, name: application })),
  ],
};

describe.each(driverNames)('text from outside on %s', (name: DriverName) => {
  let stage: Stage;
  let id = '';

  beforeAll(async () => {
    stage = await stageOn(name, { simulator: { catalog } });
    if (stage.driver.platform === 'discord') renamed(stage);
    if (stage.driver.platform === 'slack') renamed(stage);
    id = await deployReady(stage, typed(application), 'v1.2', typed(SHORT));
  });
  afterAll(() => stage?.close());

  /** Slack escapes the text that a person types. */
  const typed = (text: string) =>
    name.startsWith('slack') ? text.replaceAll('<', '&lt;').replaceAll('>', '&gt;') : text;
  const own = () =>
    stage.driver.platform === 'discord'
      ? (stage.driver as DiscordDriver).user('operator').id
      : stage.driver.platform === 'slack'
        ? (stage.driver as SlackDriver).userIds.operator
        : 'operator';
  const all = async () => [...(await stage.driver.channel()), ...(await stage.driver.privately('operator'))];

  test('text that Edgegap returns in applications, tags, logs and errors pings no person in the chat', async () => {
    const { driver, simulator } = stage;
    simulator.print(id, NASTY);
    for (const [command, values] of [
      ['logs', { deployment: id, lines: 5 }],
      ['status', { deployment: id }],
      ['list', {}],
      ['tags list', { deployment: id }],
      ['tags add', { deployment: id, tag: '@here' }],
      ['status', { deployment: typed('<@U12345678>') }],
      ['deploy', { application: typed('<!channel>'), version: '@everyone', near: 'Tokyo' }],
      ['stop', { deployment: id }],
    ] as const)
      await effectOf(stage, 'operator', () => driver.command('operator', command, values));
    stage.speed(20);
    simulator.fail(id, NASTY);
    await until(
      async () => (await driver.channel()).some(({ text }) => text.includes('failed') && text.includes(id)),
      'the failure to be told',
    );
    await stage.bot.app.settled();
    const messages = await all();
    expect(messages.length).toBeGreaterThan(8);
    for (const { pings } of messages) expect(pings.filter((ping) => ping !== own())).toEqual([]);
    // The person who asked is pinged twice: when the server is ready, and when the server fails.
    expect(messages.filter(({ pings }) => pings.includes(own()))).toHaveLength(2);
    const text = messages.map((message) => message.text).join('\n');
    expect(text.replaceAll('\\', '')).toContain('<!channel> <!here>');
    if (stage.driver.platform === 'discord')
      expect((stage.driver as DiscordDriver).server.violations).toEqual([]);
  });

  test('text that Edgegap returns never reaches the chat as markup', () => {
    if (stage.driver.platform === 'discord') {
      const { server } = stage.driver as DiscordDriver;
      const bodies = server.requests.map(({ body }) => body as Record<string, unknown> | undefined);
      const sent = bodies.flatMap((body) => {
        const message = (body?.data ?? body) as {
          components?: unknown;
          allowed_mentions?: { parse?: string[] };
        };
        return message?.components ? [message] : [];
      });
      expect(sent.length).toBeGreaterThan(8);
      for (const message of sent) expect(message.allowed_mentions?.parse).toEqual([]);
    }
    if (stage.driver.platform === 'slack') {
      const sent = JSON.stringify((stage.driver as SlackDriver).server.requests);
      // On Slack, text from outside is either escaped in markup or a literal element of rich text. Unescaped text never
      // appears in mrkdwn or in the fallback text.
      for (const [, text = ''] of sent.matchAll(/"type":"mrkdwn","text":"((?:[^"\\]|\\.)*)"/g))
        expect(text).not.toMatch(/<!(?:channel|here|everyone|subteam)|<@U12345678>/);
    }
  });

  test('the log of the bot contains no token and no callback address', () => {
    const log = stage.bot.log.join('\n');
    expect(log.length).toBeGreaterThan(100);
    expect(log).not.toContain(stage.simulator.token);
    for (const setting of Object.values(stage.driver.environment))
      if (/token|xox|xapp|^[0-9a-z]{32}$/i.test(setting)) expect(log).not.toContain(setting);
    const hooks = [...stage.simulator.deployments.values()].flatMap(({ webhooks }) =>
      Object.values(webhooks),
    );
    expect(hooks.length).toBe(3);
    for (const hook of hooks) expect(log).not.toContain(hook?.split('/').at(-1)?.split('.').at(-1) ?? 'none');
  });
});

/** Gives the person a name that looks like markup. */
function renamed(stage: Stage): void {
  if (stage.driver.platform === 'discord') {
    const user = (stage.driver as DiscordDriver).user('operator') as { name: string };
    user.name = '@everyone <@500000000000000004>';
    return;
  }
  const { server, userIds } = stage.driver as SlackDriver;
  server.world.facts.set(userIds.operator, {
    ...server.world.facts.get(userIds.operator),
    profile: { display_name: '<!channel> *Olga*' },
  });
}
