import { describe, expect, it } from 'vitest';
import { fallbackText } from '../../../src/adapters/slack/fallback.ts';
import { render } from '../../../src/adapters/slack/render.ts';
import type { Card, Node, Rich } from '../../../src/chat/card.ts';
import { refusalOf } from '../../support/slack-blocks.ts';
import { visibleMessage } from '../../support/slack-visible.ts';
import { card, line } from './harness.ts';

/** Renders the message, checks that Slack would accept it, and returns the message as people see it. */
function seen(message: Parameters<typeof render>[0]) {
  const rendered = render(message);
  expect(refusalOf(rendered.blocks, { total: true })).toBeUndefined();
  return visibleMessage({ ts: '1.1', ...rendered }, { edits: 0, fileContent: () => '' });
}

const NASTY = [
  '*bold* _italic_ ~gone~ `code`',
  '```\nfence\n```',
  '<!channel> <!here> <@U0VICTIM> <!subteam^S0EVERYONE>',
  '<https://evil.example|https://good.example>',
  'a & b &lt;!channel&gt;',
  ':tada: @channel @here #general',
  '> quote\n• item\n1. item',
  '"quotes\' \\ \u2028 close',
  '🏁 naïve Größe 日本語',
];

describe('literal text on Slack', () => {
  const places: readonly [string, (text: string) => Card | ReturnType<typeof line>][] = [
    ['a title', (text) => card(text)],
    ['a line', (text) => line(text)],
    ['a text', (text) => card('T', { kind: 'text', text: ['before ', text, ' after'] })],
    ['bold', (text) => card('T', { kind: 'text', text: [{ bold: text }] })],
    ['code', (text) => card('T', { kind: 'text', text: [{ code: text }] })],
    ['a field', (text) => card('T', { kind: 'fields', fields: [{ label: text, value: [text] }] })],
    ['small print', (text) => card('T', { kind: 'note', text: [text] })],
    ['bold small print', (text) => card('T', { kind: 'note', text: ['by ', { bold: text }] })],
    ['code in small print', (text) => card('T', { kind: 'note', text: ['by ', { code: text }] })],
    ['the words for a picture', (text) => card('T', { kind: 'image', file: 'a.png', alt: text })],
    ['a code block', (text) => card('T', { kind: 'code', text, keep: 'end' })],
    ['a link', (text) => card('T', { kind: 'note', text: [{ link: 'https://a.example/?a=1&b=2', text }] })],
    ['a name', (text) => card('T', { kind: 'text', text: [{ mention: '<!channel>', name: text }] })],
  ];
  it.each(places)('literal text in %s is shown unchanged and pings no person', (_, place) => {
    for (const text of NASTY) {
      const message = seen(place(text));
      if (!text.includes('|')) expect(message.text).toContain(text);
      expect(message.pings).toEqual([]);
    }
  });

  it.each(places)(
    'characters that reverse the reading direction are removed from literal text in %s',
    (_, place) => {
      const { text, blocks } = render(place('a\u202egpj.exe\u2066 b\u200f'));
      expect(JSON.stringify([text, blocks])).toContain('agpj.exe b');
      expect(JSON.stringify([text, blocks])).not.toMatch(/\p{Bidi_Control}/u);
    },
  );

  it('literal text in the fallback text pings no person', () => {
    const text = fallbackText(card('<!channel>', { kind: 'text', text: ['<@U0VICTIM>'] }));
    expect(text).toBe('&lt;!channel&gt; · &lt;@U0VICTIM&gt;');
  });
});

describe('markup that the bot writes for Slack', () => {
  const rich: Rich = [
    'Hi ',
    { mention: 'U0ASKER', name: 'Ana' },
    { bold: ' bold ' },
    { code: 'x' },
    { link: 'https://docs.edgegap.com', text: 'docs' },
    { time: 1_772_553_600_500, style: 'relative' },
    { time: 1_772_553_600_500, style: 'clock' },
    '',
  ];

  it('the markup of a line becomes rich text elements on Slack', () => {
    expect(render(line(...rich)).blocks).toEqual([
      {
        type: 'rich_text',
        elements: [
          {
            type: 'rich_text_section',
            elements: [
              { type: 'text', text: 'Hi ' },
              { type: 'user', user_id: 'U0ASKER' },
              { type: 'text', text: ' bold ', style: { bold: true } },
              { type: 'text', text: 'x', style: { code: true } },
              { type: 'link', url: 'https://docs.edgegap.com', text: 'docs' },
              {
                type: 'date',
                timestamp: 1_772_553_600,
                format: '{ago}',
                fallback: '2026-03-03T16:00:00.500Z',
              },
              {
                type: 'date',
                timestamp: 1_772_553_600,
                format: '\u200b{date_short_pretty} at {time}',
                fallback: '2026-03-03T16:00:00.500Z',
              },
            ],
          },
        ],
      },
    ]);
  });

  it('small print with markup is sent to Slack as a single mrkdwn element, without gaps', () => {
    expect(render(card('T', { kind: 'note', text: rich })).blocks[1]).toEqual({
      type: 'context',
      elements: [
        {
          type: 'mrkdwn',
          text: 'Hi <@U0ASKER> bold `x`<https://docs.edgegap.com|docs><!date^1772553600^{ago}|2026-03-03T16:00:00.500Z><!date^1772553600^\u200b{date_short_pretty} at {time}|2026-03-03T16:00:00.500Z>',
          verbatim: true,
        },
      ],
    });
  });

  it.each([...NASTY.slice(0, 7), 'word'])(
    'on Slack, literal text in small print is not read as markup, even next to real markup: %s',
    (text) => {
      const shown = render(card('T', { kind: 'note', text: [{ code: 'x' }, text] })).blocks[1];
      const plain = { type: 'plain_text', text, emoji: false };
      const isHarmless = !/[*_~`]|:\w+:|^>|^\w/.test(text);
      if (isHarmless) expect(JSON.stringify(shown)).not.toContain('plain_text');
      else expect(shown).toMatchObject({ elements: [{ text: '`x`' }, plain] });
    },
  );

  it('a mention on Slack pings the person, whether the mention is in a text, a title or small print', () => {
    const mention = { mention: 'U0ASKER', name: 'Ana' };
    const places = [
      line(mention),
      { ...card(''), title: [mention] },
      card('T', { kind: 'note', text: [mention] }),
    ];
    for (const message of places) expect(seen(message).pings).toEqual(['U0ASKER']);
  });

  it('on Slack, the name of a person appears without a mention, because every mention on Slack pings', () => {
    const person = { person: 'U0ASKER', name: 'Ana' };
    const places = [
      line(person),
      { ...card(''), title: [person] },
      card('T', { kind: 'note', text: ['deployed by ', person] }),
    ];
    for (const message of places) {
      expect(JSON.stringify(render(message))).toContain('Ana');
      expect(JSON.stringify(render(message))).not.toContain('U0ASKER');
    }
  });

  it('on Slack, a future time is shown as a time of day, because Slack has relative times only for the past', () => {
    const ends: Node = { kind: 'note', text: ['ends ', { time: 1_772_553_600_000, style: 'until' }] };
    expect(JSON.stringify(render(card('T', ends)).blocks)).toContain('{date_short_pretty} at {time}');
  });

  it('on Slack, an address that is not a web address does not become a link', () => {
    const text: Rich = [{ link: 'javascript:alert(1)', text: 'click' }];
    expect(JSON.stringify(render(card('T', { kind: 'text', text }, { kind: 'note', text })))).not.toContain(
      'javascript',
    );
  });
});

describe('a card for Slack', () => {
  it('Slack accepts a card with every type of node', () => {
    const nodes: Node[] = [
      { kind: 'text', text: ['Text'] },
      {
        kind: 'fields',
        fields: [
          { label: 'Status', value: [{ bold: 'Ready' }, ' in 4 s'] },
          { label: 'Tags', value: ['qa'] },
        ],
      },
      {
        kind: 'table',
        columns: ['id', 'status'],
        rows: [
          ['abc', 'READY'],
          ['a much longer id', 'ERROR'],
        ],
      },
      { kind: 'code', text: '\u001b[31mred\u001b[0m\r\nline\u0000', keep: 'end' },
      { kind: 'divider' },
      { kind: 'note', text: ['Deployed by Ana'] },
      {
        kind: 'buttons',
        buttons: [
          { label: 'Stop', style: 'danger', action: { command: 'stop', action: 'ask', arg: 'x' } },
          { label: 'Stop', style: 'secondary', action: { command: 'stop', action: 'ask', arg: 'x' } },
          { label: 'Docs', url: 'https://docs.edgegap.com' },
        ],
      },
    ];
    const message = seen(card('kart-racing v1.2', ...nodes));
    expect(message.buttons).toEqual(['Stop', 'Stop', 'Docs']);
    expect(message.text).toBe(
      [
        '🟢 kart-racing v1.2',
        'Text',
        'Status: Ready in 4 s\nTags: qa',
        'id                status\nabc               READY\na much longer id  ERROR',
        'red\nline',
        'Deployed by Ana',
      ].join('\n'),
    );
  });

  it('empty nodes are left out of a Slack card', () => {
    const nodes: Node[] = [
      { kind: 'text', text: [''] },
      { kind: 'fields', fields: [] },
      { kind: 'code', text: '\n', keep: 'end' },
      { kind: 'note', text: [' '] },
      { kind: 'buttons', buttons: [] },
    ];
    expect(seen(card('Empty', ...nodes)).text).toBe('🟢 Empty');
    expect(seen({ kind: 'card', tone: 'neutral', title: [], nodes: [] }).text).toBe('…');
  });

  it('if a log is too long for Slack, its start or its end is cut, and the card says how many lines are missing', () => {
    const lines = Array.from({ length: 2000 }, (_, index) => `line ${index} "quoted" \\ 🏁`);
    const end = seen(card('Logs', { kind: 'code', text: lines.join('\n'), keep: 'end' })).text.split('\n');
    expect(end.at(-1)).toBe(lines.at(-1));
    expect(end[1]).toBe(`… ${2000 - (end.length - 2)} earlier lines not shown`);
    const start = seen(card('Logs', { kind: 'code', text: lines.join('\n'), keep: 'start' })).text.split(
      '\n',
    );
    expect(start[1]).toBe(lines[0]);
    expect(start.at(-1)).toBe(`… ${2000 - (start.length - 2)} more lines not shown`);
    expect(JSON.stringify(end).length).toBeGreaterThan(9000);
  });

  it.each([
    ['text', (text: string): Node => ({ kind: 'text', text: [text] })],
    ['small print', (text: string): Node => ({ kind: 'note', text: [text] })],
    ['a line of code', (text: string): Node => ({ kind: 'code', text, keep: 'end' })],
    [
      'a field',
      (text: string): Node => ({ kind: 'fields', fields: [{ label: 'Error', value: [{ code: text }] }] }),
    ],
    [
      'a table',
      (text: string): Node => ({
        kind: 'table',
        columns: ['id'],
        rows: Array(300).fill([text.slice(0, 200)]),
      }),
    ],
  ])('if %s is far too long for a Slack card, the text is visibly cut', (_, node) => {
    const message = seen(card('T', node('😀'.repeat(20_000))));
    expect(message.text).toContain('…');
    expect(message.text.isWellFormed()).toBe(true);
  });

  it('a card title that is too long for a Slack header is cut', () => {
    expect(seen(card('x'.repeat(400))).text).toMatch(/^🟢 x{146}…$/);
  });

  it('a card with more blocks than Slack accepts causes an error before the bot sends the card', () => {
    const many = Array.from({ length: 51 }, (): Node => ({ kind: 'divider' }));
    expect(() => render(card('T', ...many))).toThrow('More than 50 blocks');
    const columns = Array.from({ length: 3000 }, (_, index) => `column ${index}`);
    const buttons = Array.from({ length: 200 }, (_, index) => ({
      label: `Button number ${index} of very many`,
      style: 'secondary' as const,
      action: { command: 'logs', action: 'show', arg: String(index) },
    }));
    expect(seen(card('T', { kind: 'table', columns, rows: [] })).text).toContain('…');
    expect(() => render(card('T', { kind: 'buttons', buttons }))).toThrow('more structure than fits');
  });

  it('a Slack card with too many tags or ports says how many were left out and keeps the request_id', () => {
    const codes = (count: number): Rich =>
      Array.from({ length: count }, (_, index) => [', ', { code: `match-${index}` }])
        .flat()
        .slice(1);
    const port = (index: number) => ({ label: `port-${index}`, value: [{ code: `a.example:${index}` }] });
    const fields = [
      { label: 'Status', value: ['Ready'] },
      ...Array.from({ length: 300 }, (_, index) => port(index)),
      { label: 'Tags', value: codes(500) },
      { label: 'request_id', value: [{ code: 'abcdef012345' }] },
    ];
    const { text } = seen(card('kart-racing v1', { kind: 'fields', fields }));
    expect(text).toContain('Status: Ready');
    expect(text).toMatch(/^…: and \d+ more$/m);
    expect(text).toMatch(/^Tags: match-0, .* … and \d+ more$/m);
    expect(text).toContain('request_id: abcdef012345');
    const shown = text.match(/^port-\d+/gm)?.length ?? 0;
    expect(text).toContain(`and ${300 - shown} more`);
    expect(seen(line(...codes(2000))).text).toMatch(/ … and \d+ more$/);
    expect(
      seen(card('T', { kind: 'fields', fields: [{ label: 'x'.repeat(20_000), value: ['y'] }] })).text,
    ).toContain('…: y');
  });

  it('short fields of a Slack card are shown in two columns, and each long field has its own line', () => {
    const fields = [
      { label: 'Location', value: ['Paris & Lyon'] },
      { label: 'Tags', value: [{ code: 'qa' }, ', ', { code: 'night' }] },
      { label: 'Variables', value: ['x'.repeat(60)] },
      { label: 'Name', value: ['*stars*'] },
      { label: 'Link', value: [{ link: `https://a.example/${'x'.repeat(2500)}`, text: 'log' }] },
      { label: 'request_id', value: [{ code: 'abcdef012345' }] },
    ];
    const [, facts, lines] = render(card('T', { kind: 'fields', fields, columns: true })).blocks;
    const id = { label: 'request_id', value: [{ code: 'a_b' }] };
    const [, ids] = render(card('T', { kind: 'fields', fields: [id, id], columns: true })).blocks;
    expect(ids).toMatchObject({ fields: Array(2).fill({ text: '*request_id*\n`a_b`' }) });
    const cell = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
    expect(facts).toEqual({
      type: 'section',
      fields: [cell('*Location*\nParis &amp; Lyon'), cell('*Tags*\n`qa`, `night`')],
    });
    expect(JSON.stringify(lines)).toMatch(/Variables:.*Name:.*\*stars\*.*request_id:/);
    const many = Array.from({ length: 25 }, (_, index) => ({ label: `Fact ${index}`, value: ['yes'] }));
    expect(seen(card('T', { kind: 'fields', fields: many, columns: true })).text).toContain('Fact 24: yes');
  });

  it('the fallback text of a Slack card contains the content of the card in plain text', () => {
    const fields: Node = { kind: 'fields', fields: [{ label: 'Status', value: [{ bold: 'Ready' }] }] };
    expect(render(card('kart v1', fields, { kind: 'code', text: 'log', keep: 'end' })).text).toBe(
      'kart v1 · Status: Ready',
    );
    expect(render(line('x'.repeat(5000))).text).toHaveLength(1000);
  });
});
