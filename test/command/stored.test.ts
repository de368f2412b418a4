import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Values } from '../support/chat-driver.ts';
import { until } from '../support/test-clock.ts';
import { commandFolder } from './command-folder.ts';
import { effectOf, type Stage, stageOn } from './harness.ts';

/**
 * A command that stores a request. After a reader has approved the request, the bot carries it out for the person who
 * asked.
 */
const ASK = `
import { defineCommand } from '../src/command/define.ts';

export default defineCommand({
  description: 'Ask for something that somebody has to approve',
  permission: 'deployments.read',
  ack: 'public',
  options: {
    application: { kind: 'string', required: true, positional: true, description: 'The application' },
    quietly: { kind: 'boolean', description: 'Whether the answer is private' },
  },
  async run({ options: { application, quietly = false }, asker, invocationId, payloads, prompt, respond }) {
    const args = { kind: 'values', subcommand: quietly ? 'quietly' : 'aloud', values: { application } };
    const request = { kind: 'command', command: 'greet', args };
    const stored = { id: 'approved-' + invocationId, at: asker.at, asker: { id: asker.id }, prompt, request };
    const action = { command: 'ask', action: 'approve', arg: await payloads.keep(stored) };
    await respond({ kind: 'card', tone: 'neutral', title: ['May I?'], nodes: [{ kind: 'buttons', buttons: [{ label: 'Approve', style: 'primary', action }] }] });
  },
  actions: {
    approve: {
      permission: 'deployments.read',
      ack: 'private',
      async run({ action, payloads, carryOut, respond, clock }) {
        const stored = await payloads.get(action.arg);
        if (stored.request.args.values.application === 'Kart Racing') {
          await respond({ kind: 'line', tone: 'progress', text: ['Soon'] });
          await new Promise((resolve) => clock.after(500, resolve));
        }
        await carryOut(stored);
        await respond({ kind: 'line', tone: 'neutral', text: ['Approved'] });
      },
    },
  },
});
`;

const GREET = `
import { defineCommand, defineGroup } from '../src/command/define.ts';

const greet = (ack) => defineCommand({
  description: 'Greet an application',
  permission: 'deployments.tag',
  ack,
  options: {
    application: { kind: 'application', required: true, positional: true, description: 'The application' },
  },
  async run({ options, asker, respond, postCard }) {
    const greeting = { kind: 'card', tone: 'success', title: ['Hello ', options.application], nodes: [{ kind: 'text', text: ['for ', asker.name] }] };
    if (ack === 'public') await postCard({ ...greeting, title: ['Greeting'] });
    await respond(greeting);
  },
});

export default defineGroup({
  description: 'Greet an application',
  subcommands: { aloud: greet('public'), quietly: greet('private') },
});
`;

const folder = commandFolder('stored', { ask: ASK, greet: GREET });
afterAll(folder.remove);

describe.each(['discord', 'slack-socket', 'slack-http'] as const)('a stored request on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    const environment = { DATABASE_URL: join(folder.path, `${name}.db`) };
    stage = await stageOn(name, { commands: folder.path, environment });
  });
  afterAll(() => stage?.close());

  /** The operator sends a request, the bot is restarted, and a reader approves the request. */
  async function approved(values: Values, meanwhile: () => void | Promise<void> = () => undefined) {
    await effectOf(stage, 'operator', () => stage.driver.command('operator', 'ask', values));
    stage.bot = await stage.bot.restart();
    await meanwhile();
    const before = { told: await stage.driver.privately('operator'), shown: await stage.driver.channel() };
    await effectOf(stage, 'reader', () => stage.driver.press('reader', 'Approve'));
    stage.speed(20);
    const isNew = (known: typeof before.told, now: typeof before.told) =>
      now.filter(({ id }) => known.every((one) => one.id !== id)).map(({ text }) => text);
    const news = await until(async () => {
      const told = isNew(before.told, await stage.driver.privately('operator'));
      const shown = isNew(before.shown, await stage.driver.channel());
      return [...told, ...shown].length > 0 ? { told, shown } : undefined;
    }, 'an answer');
    await stage.bot.app.settled();
    stage.speed(1);
    return news;
  }

  test("a stored request is parsed only when the bot carries it out, and the answer is posted with the bot's own token", async () => {
    const { told, shown } = await approved({ application: 'KART-racing' });
    expect(told).toEqual([]);
    expect(shown).toHaveLength(1);
    await until(async () =>
      (await stage.driver.channel()).some(({ text }) => /Hello kart.?-racing/.test(text)),
    );
    expect((await stage.driver.channel()).at(-1)?.text).toMatch(/for \w+/);
  });

  test('if a stored request is approved twice, it is carried out once', async () => {
    const before = await stage.driver.channel();
    await effectOf(stage, 'reader', () => stage.driver.press('reader', 'Approve'));
    await stage.bot.app.settled();
    expect(await stage.driver.channel()).toEqual(before);
  });

  test('if the bot carries out a stored request later, a command with private answers still answers privately', async () => {
    const { told, shown } = await approved({ application: 'kart-racing', quietly: true });
    expect(told.join()).toMatch(/Hello kart.?-racing/);
    expect(shown).toEqual([]);
  });

  test('a stored request is carried out even if the bot is stopping', async () => {
    await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'ask', { application: 'Kart Racing' }),
    );
    const seen = async () => [
      ...(await stage.driver.channel()),
      ...(await stage.driver.privately('operator')),
    ];
    const known = await seen();
    const pressing = stage.driver.press('reader', 'Approve');
    await until(async () =>
      (await stage.driver.privately('reader')).some(({ text }) => text.includes('Soon')),
    );
    stage.bot = await stage.bot.restart();
    await pressing;
    const told = await until(async () => {
      const news = (await seen()).filter(({ id }) => known.every((one) => one.id !== id));
      return news.find(({ text }) => /Hello kart|restarted/.test(text))?.text;
    }, 'an answer');
    expect(told).toContain('Hello');
  });

  test('a stored request is refused if the person has lost the permission', async () => {
    const { told, shown } = await approved({ application: 'kart-racing' }, () =>
      stage.driver.regroup('operator', ['readers']),
    );
    expect(told.join()).toContain('You may not change servers here');
    expect(shown).toEqual([]);
    await stage.driver.regroup('operator', ['operators']);
  });

  test('a stored request that was refused for a missing permission is carried out after a second approval', async () => {
    const greetings = async () =>
      (await stage.driver.channel()).filter(({ text }) => /Hello kart.?-racing/.test(text)).length;
    const refusals = async () =>
      (await stage.driver.privately('operator')).filter(({ text }) => text.includes('You may not')).length;
    const before = { greetings: await greetings(), refusals: await refusals() };
    const approve = () => effectOf(stage, 'reader', () => stage.driver.press('reader', 'Approve'));
    await stage.driver.regroup('operator', ['readers']);
    await approve();
    await until(async () => (await refusals()) > before.refusals, 'another refusal');
    await stage.driver.regroup('operator', ['operators']);
    await approve();
    await until(async () => (await greetings()) > before.greetings, 'the answer');
  });

  test('if the application of a stored request no longer exists, the request is refused with this reason', async () => {
    const { told, shown } = await approved({ application: 'gone-racing' });
    expect(told.join()).toContain('There is no application');
    expect(shown).toEqual([]);
  });
});

test('a stored request does not count towards the number of requests that a person may send at once, and runs without a wait', async () => {
  const stage = await stageOn('discord', { commands: folder.path, environment: { PERSON_REQUESTS: '1' } });
  onTestFinished(() => stage.close());
  await effectOf(stage, 'operator', () =>
    stage.driver.command('operator', 'ask', { application: 'kart-racing' }),
  );
  await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Approve'));
  await until(async () =>
    (await stage.driver.channel()).some(({ text }) => /Hello kart.?-racing/.test(text)),
  );
});
