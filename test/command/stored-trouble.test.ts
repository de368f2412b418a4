import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { openStage } from '../answers/harness.ts';
import type { ChatDriver } from '../support/chat-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import type { SlackFault } from '../support/slack-faults.ts';
import { until } from '../support/test-clock.ts';
import { commandFolder } from './command-folder.ts';
import { stageOn } from './harness.ts';

/**
 * A command that stores a request for a different command. The bot carries out the request after a person has approved
 * it.
 */
const ASK = `
import { defineCommand } from '../src/command/define.ts';

const values = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
const requests = {
  deploy: { command: 'deploy', args: { kind: 'values', values } },
  incomplete: { command: 'deploy', args: { kind: 'text', text: 'kart-racing --nonsense 1' } },
  twice: { command: 'twice', args: { kind: 'values', values: {} } },
};

export default defineCommand({
  description: 'Ask for something that somebody has to approve',
  permission: 'deployments.read',
  ack: 'private',
  options: { word: { kind: 'string', required: true, positional: true, description: 'Which command' } },
  async run({ options: { word }, asker, invocationId, payloads, prompt, respond }) {
    const request = { kind: 'command', ...requests[word] };
    const stored = { id: 'approved-' + invocationId, at: asker.at, asker: { id: asker.id }, prompt, request };
    const action = { command: 'ask', action: 'approve', arg: await payloads.keep(stored) };
    await respond({ kind: 'card', tone: 'neutral', title: ['May I?'], nodes: [{ kind: 'buttons', buttons: [{ label: 'Approve', style: 'primary', action }] }] });
  },
  actions: {
    approve: {
      permission: 'deployments.read',
      ack: 'private',
      run: async ({ action, payloads, carryOut }) => await carryOut(await payloads.get(action.arg)),
    },
  },
});
`;

const TWICE = `
import { defineCommand } from '../src/command/define.ts';

export default defineCommand({
  description: 'Answer, and answer again',
  permission: 'deployments.read',
  ack: 'public',
  options: {},
  async run({ respond }) {
    await respond({ kind: 'line', tone: 'progress', text: ['Half of the answer'] });
    await respond({ kind: 'line', tone: 'success', text: ['The whole answer'] });
  },
});
`;

const folder = commandFolder('stored-trouble', { ask: ASK, twice: TWICE });
afterAll(folder.remove);

/** The operator sends a request and approves it. This function does not wait for the outcome. */
async function approved(driver: ChatDriver, word: string): Promise<void> {
  await driver.command('operator', 'ask', { word });
  const asked = async () =>
    (await driver.privately('operator')).some(({ buttons }) => buttons.includes('Approve'));
  await until(asked, 'the button');
  driver.press('operator', 'Approve').catch(() => undefined);
}

const channelOf = async (driver: ChatDriver) => (await driver.channel()).map(({ text }) => text);

describe.each(['discord', 'slack-socket', 'slack-http'] as const)('a stored request on %s', (name) => {
  test('if a process dies after posting the card of a stored request, the next process updates that card with the outcome', async () => {
    const stage = await openStage(name, folder.path);
    const { driver, simulator } = stage;
    const first = await stage.start();
    first.stopAfter('post');
    await approved(driver, 'deploy');
    await until(() => first.standing() === 1, 'the card');
    expect((await channelOf(driver)).join()).toContain('Requesting');
    await first.kill();

    const second = await stage.start();
    const texts = await until(async () => {
      const shown = await channelOf(driver);
      return shown.join().includes('I was restarted') ? shown : undefined;
    }, 'the truth');
    expect(texts).toHaveLength(1);
    expect(texts[0]).toContain('Nothing was deployed; ask again.');
    await second.app.settled();
    expect(await channelOf(driver)).toEqual(texts);
    expect(simulator.deployments.size).toBe(0);
  });

  test('a second answer to a stored request replaces the first answer', async () => {
    const stage = await stageOn(name, { commands: folder.path });
    onTestFinished(() => stage.close());
    stage.speed(20);
    await approved(stage.driver, 'twice');
    await until(async () => (await channelOf(stage.driver)).join().includes('The whole'), 'the whole answer');
    await stage.bot.app.settled();
    expect(await channelOf(stage.driver)).toEqual([expect.stringContaining('The whole answer')]);
  });
});

const TROUBLE: readonly (readonly [string, SlackFault])[] = [
  ['asks to slow down', { kind: 'rate-limit', retryAfter: 10 }],
  ['breaks the connection after posting the card', { kind: 'reset', when: 'after' }],
  ['breaks the connection before posting the card', { kind: 'reset', when: 'before' }],
];

test.each(TROUBLE)(
  'while Slack %s, the card of a stored request comes late but is not lost',
  async (_, fault) => {
    const stage = await stageOn('slack-http', { commands: folder.path });
    onTestFinished(() => stage.close());
    stage.speed(20);
    (stage.driver as SlackDriver).server.faults.inject('chat.postMessage', fault);
    await approved(stage.driver, 'deploy');
    const told = async () => [
      ...(await channelOf(stage.driver)),
      ...(await stage.driver.privately('operator')).map(({ text }) => text),
    ];
    const ready = async () => /is ready|nothing was|not deployed/i.test((await told()).join());
    await until(ready, 'the deployment, or a refusal');
    expect(stage.simulator.deployments.size).toBe(1);
    expect((await channelOf(stage.driver)).filter((text) => text.includes('kart-racing'))).toHaveLength(2);
  },
);

test('in the answer to a stored request, a hint on Slack shows the slash command to type', async () => {
  const stage = await stageOn('slack-http', { commands: folder.path });
  onTestFinished(() => stage.close());
  stage.speed(20);
  await approved(stage.driver, 'incomplete');
  const told = await until(async () => {
    const texts = (await stage.driver.privately('operator')).map(({ text }) => text);
    return texts.find((text) => text.includes('nonsense'));
  }, 'the refusal');
  expect(told).toContain('/edgegap deploy');
});
