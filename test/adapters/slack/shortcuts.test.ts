import { afterEach, expect, test } from 'vitest';
import { effectOf, type Stage, stageOn } from '../../command/harness.ts';
import type { SlackDriver } from '../../support/slack-driver.ts';
import { answering, card, startBot } from './harness.ts';

let stage: Stage | undefined;
afterEach(() => stage?.close());

test('the shortcut "Deploy a server" opens the form of deploy, which asks for the channel of the card', async () => {
  const opened = await stageOn('slack-http');
  stage = opened;
  const driver = opened.driver as SlackDriver;
  await driver.shortcut('operator', 'deploy');
  expect(driver.form()?.fields[0]).toBe('.channel');
  await driver.more('operator');
  expect(driver.form()?.fields).toEqual(expect.arrayContaining(['.channel', 'hidden']));
  const values = { application: 'kart-racing', near: 'Paris' };
  await driver.fillIn('operator', { ...values, version: 'v9' });
  expect(driver.mistakes().version).toContain('kart-racing has no version “v9”');
  const channel = driver.server.world.channels.team;
  const { publicly } = await effectOf(opened, 'operator', () =>
    driver.fillIn('operator', { ...values, '.channel': channel }),
  );
  expect(publicly.map(({ text }) => text).join()).toContain('kart-racing');
  expect(opened.simulator.deployments.size).toBe(1);
});

test('if a person who may not deploy uses the Slack shortcut, a direct message contains the refusal', async () => {
  const opened = await stageOn('slack-socket');
  stage = opened;
  const driver = opened.driver as SlackDriver;
  const { privately, asked } = await effectOf(opened, 'reader', () => driver.shortcut('reader', 'deploy'));
  expect(asked).toEqual([]);
  expect(privately[0]?.text).toContain('You may not change servers here');
});

test('a Slack shortcut without a channel can open a form, but a public card for this shortcut is refused with the reason', async () => {
  const bot = await startBot({
    handle: async (invocation) => {
      expect(invocation.openForm).toBeTypeOf('function');
      await invocation.acknowledge('public');
      await invocation.postCard(card('Requesting')).catch(async (error: { userMessage: string }) => {
        await invocation.respond(card(error.userMessage));
      });
    },
  });
  await bot.driver.shortcut('operator', 'deploy');
  const { request, at } = await bot.invocation(1);
  expect(request).toMatchObject({ kind: 'command', command: 'deploy', args: { text: '' } });
  expect(at.channel).toBe('');
  await expect
    .poll(() => bot.driver.privately('operator'))
    .toMatchObject([{ text: expect.stringContaining('no place for the card') }]);
  expect(await bot.driver.channel()).toEqual([]);
});

test('the bot ignores buttons of another app on a message, even if their ids look like the ids of this bot', async () => {
  const bot = await startBot({ handle: answering('private', card('Answer')) });
  const ts = await bot.driver.write('member', 'hello');
  const on = (message: object) => ({
    type: 'message_action',
    callback_id: 'Stop',
    trigger_id: `trigger-${JSON.stringify(message).length}`,
    user: { id: bot.driver.userIds.operator },
    team: { id: bot.driver.server.world.team, domain: 'kart-studio' },
    token: 'legacy',
    action_ts: '1',
    channel: { id: bot.driver.server.world.channels.team, name: 'game-servers' },
    message_ts: ts,
    response_url: `${bot.driver.server.origin}/none`,
    message: {
      type: 'message',
      ts,
      blocks: [{ type: 'actions', elements: [{ type: 'button', action_id: '1:stop:ask:93924761ccde' }] }],
      ...message,
    },
  });
  const { bot: own } = bot.driver.server.world;
  await bot.driver.deliver('interactive', on({ bot_id: 'B0OTHERAPP' }));
  expect((await bot.invocation(1)).request).toMatchObject({ kind: 'message', entry: 'Stop', buttons: [] });
  await bot.driver.deliver('interactive', on({ bot_id: own.id }));
  expect((await bot.invocation(2)).request).toMatchObject({
    buttons: [{ command: 'stop', action: 'ask', arg: '93924761ccde' }],
  });
});
