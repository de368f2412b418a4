import { describe, expect, it } from 'vitest';
import { render } from '../../../src/adapters/slack/render.ts';
import type { Card, Table } from '../../../src/chat/card.ts';
import { refusalOf } from '../../support/slack-blocks.ts';
import type { SlackFault } from '../../support/slack-faults.ts';
import { answering, card, startBot } from './harness.ts';

function table(rows: number, cell = 'x', columns = ['request_id', 'tags']): Table {
  const row = (nth: number) => [
    `id${nth}`,
    ...columns.slice(1).map((_, column) => (column === 0 ? cell : '')),
  ];
  return {
    kind: 'table',
    caption: 'Deployments',
    columns,
    rows: Array.from({ length: rows }, (_, nth) => row(nth)),
  };
}

const list = (given = table(2)): Card =>
  card('2 active servers', given, {
    kind: 'select',
    placeholder: 'Open a server',
    choices: [{ label: 'id0', value: 'id0' }],
    action: { command: 'list', action: 'open', arg: '' },
  });

function typesOf(message: Card, dataTables = true): string[] {
  const { blocks } = render(message, { dataTables });
  expect(refusalOf(blocks, { total: true })).toBeUndefined();
  return blocks.map(({ type }) => type);
}

describe('a table with a caption on Slack', () => {
  it('on Slack, a table with a caption becomes a data table with all rows on one page, and the menu stands below the table', () => {
    expect(typesOf(list())).toEqual(['header', 'data_table', 'actions']);
    const columns = ['request_id', 'tags', 'by'];
    expect(render(list(table(1, 'a\nb', columns)), { dataTables: true }).blocks[1]).toEqual({
      type: 'data_table',
      caption: 'Deployments',
      page_size: 1,
      rows: [
        columns.map((text) => ({ type: 'raw_text', text })),
        ['id0', 'a b', '–'].map((text) => ({ type: 'raw_text', text })),
      ],
    });
  });

  it.each([
    ['without a caption', { ...table(2), caption: undefined } as unknown as Table],
    ['without rows', table(0)],
    ['with more than 100 rows', table(101)],
    [
      'with more than 20 columns',
      table(
        1,
        'x',
        Array.from({ length: 21 }, (_, nth) => `c${nth}`),
      ),
    ],
    ['with more than 10,000 characters', table(2, 'x'.repeat(5_001))],
    ['too large for the message', table(100, 'x'.repeat(60))],
  ])('a table %s is shown as lines', (_, given) => {
    expect(typesOf(list(given))).toEqual(['header', 'rich_text', 'actions']);
  });

  it.each([
    ['an ephemeral message', 'private', 'response_url', { kind: 'status', status: 400, when: 'before' }],
    ['a message', 'public', 'chat.postMessage', { kind: 'error', error: 'invalid_blocks' }],
  ] as [string, 'private' | 'public', string, SlackFault][])(
    'if a Slack workspace refuses the data table in %s, this table and all later tables are shown as lines',
    async (_, mode, method, fault) => {
      const bot = await startBot({ handle: answering(mode, list()) });
      const said = async () => {
        await bot.driver.command('operator', 'list');
        const here = mode === 'private' ? await bot.driver.privately('operator') : await bot.driver.channel();
        return here.at(-1)?.text;
      };
      expect(await said()).toContain('id0  x');
      bot.driver.server.faults.inject(method, fault);
      expect(await said()).toContain('id0         x');
      expect(await said()).toContain('id0         x');
    },
  );
});
