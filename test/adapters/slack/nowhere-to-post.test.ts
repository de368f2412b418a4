import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deployReady, effectOf, type Stage, stageOn } from '../../command/harness.ts';
import type { SlackDriver } from '../../support/slack-driver.ts';
import type { SlackFault } from '../../support/slack-faults.ts';
import { answering, card, line, startBot } from './harness.ts';

const refusals: readonly (readonly [string, SlackFault])[] = [
  ['has archived the channel', { kind: 'error', error: 'is_archived' }],
  ['lets the bot only read the channel', { kind: 'error', error: 'restricted_action_read_only_channel' }],
  ['accepts posts only in threads', { kind: 'error', error: 'restricted_action_thread_only_channel' }],
  ['refuses posts with an unknown error', { kind: 'error', error: 'a_word_of_tomorrow' }],
];

describe('a bot in a channel where the bot may not post', () => {
  let stage: Stage;
  let driver: SlackDriver;
  beforeEach(async () => {
    stage = await stageOn('slack-http');
    driver = stage.driver as SlackDriver;
  });
  afterEach(() => stage.close());

  const deploy = () =>
    driver.command('operator', 'deploy', { application: 'kart-racing', version: 'v1.2', near: 'Montreal' });

  test.each(refusals)(
    'while Slack %s, a deploy starts no server, and a private message tells the person the reason',
    async (_, fault) => {
      driver.server.faults.inject('chat.postMessage', fault, 5);
      const { privately, publicly, asked } = await effectOf(stage, 'operator', deploy);
      expect(privately).toHaveLength(1);
      expect(publicly).toEqual([]);
      expect(asked).not.toContain('POST deploy');
      expect(stage.simulator.deployments.size).toBe(0);
    },
  );

  test.each(refusals)(
    'while Slack %s, the logs are shown only to the person who asked, with the reason',
    async (_, fault) => {
      const deployment = await deployReady(stage);
      driver.server.faults.inject('chat.postMessage', fault);
      const { privately, publicly } = await effectOf(stage, 'reader', () =>
        driver.command('reader', 'logs', { deployment, share: true }),
      );
      expect(publicly).toEqual([]);
      expect(privately.map(({ text }) => text)).toEqual([
        expect.stringMatching(/Log[\s\S]*Only you see this\./),
      ]);
    },
  );
});

describe('an answer to a mention, which has no response_url', () => {
  test.each(refusals)('while Slack %s, a mention is answered in a direct message', async (_, fault) => {
    const bot = await startBot({ handle: answering('public', card('Answer')) });
    bot.driver.server.faults.inject('chat.postMessage', fault);
    bot.driver.server.faults.inject('chat.postEphemeral', fault);
    const [first] = await Promise.all([bot.invocation(1), bot.driver.mention('operator', 'list')]);
    expect(first.request.kind).toBe('command');
    await expect
      .poll(() => bot.driver.privately('operator'))
      .toMatchObject([{ text: expect.stringContaining('Answer') }]);
  });
});

describe('respondPrivately on Slack', () => {
  test.each(['public', 'private', 'update'] as const)(
    'if a press was acknowledged as "%s", only the person who pressed sees the message of respondPrivately',
    async (mode) => {
      const bot = await startBot({
        handle: async (invocation) => {
          const pressed = invocation.request.kind === 'action';
          await invocation.acknowledge(pressed ? mode : 'public');
          if (pressed) await invocation.respondPrivately(line('For you'));
          else await invocation.respond(card('For all', more));
        },
      });
      await bot.driver.command('reader', 'logs');
      await bot.driver.press('reader', 'More');
      await expect.poll(() => bot.driver.privately('reader')).toMatchObject([{ text: 'For you' }]);
      expect(await bot.driver.channel()).toMatchObject([{ text: '🟢 For all', edits: 0 }]);
    },
  );
});

const more = {
  kind: 'buttons',
  buttons: [{ label: 'More', style: 'secondary', action: { command: 'logs', action: 'more', arg: 'abc' } }],
} as const;
