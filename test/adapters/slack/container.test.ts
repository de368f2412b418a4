import { expect, it } from 'vitest';
import { render } from '../../../src/adapters/slack/render.ts';
import type { Node } from '../../../src/chat/card.ts';
import { refusalOf } from '../../support/slack-blocks.ts';
import { answering, card, startBot } from './harness.ts';

const code = (text: string): Node => ({ kind: 'code', text, keep: 'end', folded: 'Last lines of the log' });

it('on Slack, code with a title is shown in a container that people can unfold', () => {
  const { blocks } = render(card('Crash report', code('one\ntwo')), { containers: true });
  expect(refusalOf(blocks, { total: true })).toBeUndefined();
  expect(blocks[1]).toEqual({
    type: 'container',
    title: { type: 'plain_text', text: 'Last lines of the log', emoji: false },
    is_collapsible: true,
    default_collapsed: true,
    child_blocks: [
      {
        type: 'rich_text',
        elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'one\ntwo' }] }],
      },
    ],
  });
});

it.each([
  ['empty', ' '],
  ['too long for the message', 'x\n'.repeat(10_000)],
])('on Slack, code with a title is not put into a container if the code is %s', (_, text) => {
  const { blocks } = render(card('Crash report', code(text)), { containers: true });
  expect(refusalOf(blocks, { total: true })).toBeUndefined();
  expect(blocks.map(({ type }) => type)).not.toContain('container');
});

it('if a Slack workspace refuses a container, the bot no longer uses containers, but still sends data tables', async () => {
  const columns = ['request_id', 'tags'];
  const table: Node = { kind: 'table', caption: 'Deployments', columns, rows: [['id0', 'x']] };
  const messages = [card('Report', code('one')), card('Report', code('two')), card('List', table)];
  const bot = await startBot({
    handle: (invocation) => answering('public', messages.shift() ?? card('No more'))(invocation),
  });
  bot.driver.server.faults.inject('chat.postMessage', { kind: 'error', error: 'invalid_blocks' });
  for (let n = 0; n < 3; n++) await bot.driver.command('operator', 'list');
  const [first, second, third] = (await bot.driver.channel()).map(({ text }) => text);
  expect(first).toContain('one');
  expect(second).toContain('two');
  expect(`${first}${second}`).not.toContain('Last lines of the log');
  // If Slack showed the table as lines, the cells would be aligned below the names of the columns.
  expect(third).toContain('id0  x');
});
