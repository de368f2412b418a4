import { describe, expect, test } from 'vitest';
import { markerOf } from '../../../src/adapters/discord/marker.ts';
import { payloadOf } from '../../../src/adapters/discord/payload.ts';
import { renderMessage } from '../../../src/adapters/discord/render.ts';
import { type Button, type Card, type Message, type Node, textFile } from '../../../src/chat/card.ts';
import { readMarkdown } from '../../support/discord-markdown.ts';
import { checkMessage } from '../../support/discord-rules.ts';
import { violationOf } from '../../support/discord-schemas.ts';
import { type Component, type MessageBody, walk } from '../../support/discord-world.ts';
import { card, confirmButtons, line } from './harness.ts';

/** The components of the rendered message, checked against Discord's specification and rules. */
function rendered(message: Message): Component[] {
  const { body, files } = payloadOf(message, 'key');
  expect(violationOf('POST', '/channels/1/messages', body)).toBeUndefined();
  checkMessage(
    body as MessageBody,
    files.map(({ name }) => name),
  );
  return [...walk(body.components as Component[])];
}

function texts(message: Message): string[] {
  return rendered(message).flatMap(({ content }) => (content === undefined ? [] : [content]));
}

const everything: Node[] = [
  { kind: 'text', text: ['Some ', { bold: 'text' }] },
  { kind: 'note', text: ['small', '\nprint'] },
  {
    kind: 'fields',
    fields: [
      { label: 'Status', value: ['READY'] },
      { label: 'Place', value: [{ code: 'Montreal' }] },
    ],
  },
  {
    kind: 'table',
    columns: ['id', 'status'],
    rows: [
      ['abc', 'READY'],
      ['日本語', 'x`'],
      ['🎮', '```'],
    ],
  },
  { kind: 'code', text: 'line 1\nline 2', keep: 'end' },
  { kind: 'divider' },
  confirmButtons,
];

test('a card with every type of node is rendered in full for Discord', () => {
  expect(
    renderMessage(card('All of it', everything, { tone: 'danger' }), ['a.txt'], 4711),
  ).toMatchInlineSnapshot(`
    {
      "accent_color": 15548997,
      "components": [
        {
          "content": "### All of it",
          "type": 10,
        },
        {
          "content": "Some **text**",
          "type": 10,
        },
        {
          "content": "-# small print",
          "type": 10,
        },
        {
          "content": "**Status**: READY
    **Place**: \`Montreal\`",
          "type": 10,
        },
        {
          "content": "\`\`\`
    id      status
    abc     READY
    日本語  x\`
    🎮      \`​\`​\`
    \`\`\`",
          "type": 10,
        },
        {
          "content": "\`\`\`
    line 1
    line 2
    \`\`\`",
          "type": 10,
        },
        {
          "divider": true,
          "spacing": 1,
          "type": 14,
        },
        {
          "components": [
            {
              "custom_id": "stop:confirm:abc",
              "label": "Stop it",
              "style": 4,
              "type": 2,
            },
            {
              "custom_id": "stop:cancel:abc",
              "label": "Keep it",
              "style": 2,
              "type": 2,
            },
          ],
          "type": 1,
        },
        {
          "file": {
            "url": "attachment://a.txt",
          },
          "type": 13,
        },
      ],
      "id": 4711,
      "type": 17,
    }
  `);
});

test.each([
  ['neutral', undefined, 'x'],
  ['progress', 0x5865f2, '⏳ x'],
  ['success', 0x57f287, '✅ x'],
  ['warning', 0xfee75c, '⚠️ x'],
  ['danger', 0xed4245, '❌ x'],
] as const)('a Discord card with the tone %s has the right colour and sign', (tone, accent, text) => {
  expect((renderMessage(card('x', [], { tone })) as { accent_color?: number }).accent_color).toBe(accent);
  expect(texts({ kind: 'line', tone, text: ['x'] })).toEqual([text]);
});

describe('text that is too long for Discord', () => {
  const long = 'word '.repeat(2000);
  const cards: [string, Message][] = [
    ['a line', line(long)],
    ['a title', card(long)],
    ['a text', card('x', [{ kind: 'text', text: [long] }])],
    [
      'many texts',
      card(
        'x',
        Array.from({ length: 30 }, (): Node => ({ kind: 'text', text: [long] })),
      ),
    ],
    [
      'many notes',
      card(
        'x',
        Array.from({ length: 30 }, (): Node => ({ kind: 'note', text: [long] })),
      ),
    ],
    ['a field', card('x', [{ kind: 'fields', fields: [{ label: long, value: [long] }] }])],
    [
      'many fields',
      card('x', [
        {
          kind: 'fields',
          fields: Array.from({ length: 200 }, (_, i) => ({ label: `f${i}`, value: [long] })),
        },
      ]),
    ],
    ['code', card('x', [{ kind: 'code', text: long, keep: 'end' }])],
    ['backticks', card('x', [{ kind: 'code', text: '`'.repeat(10_000), keep: 'start' }])],
    [
      'a table',
      card('x', [
        { kind: 'table', columns: ['a'], rows: Array.from({ length: 900 }, (_, i) => [`row ${i}`]) },
      ]),
    ],
    [
      'a table of backticks',
      card('x', [
        { kind: 'table', columns: ['a'], rows: Array.from({ length: 99 }, () => ['`'.repeat(60)]) },
      ]),
    ],
    ['a table cell', card('x', [{ kind: 'table', columns: ['a', 'b'], rows: [[long, long]] }])],
    ['emoji', card('🎮'.repeat(9000), [{ kind: 'text', text: ['🎮'.repeat(9000)] }])],
    [
      'only markup characters',
      card('*'.repeat(9000), [{ kind: 'text', text: [{ bold: '*'.repeat(9000) }] }]),
    ],
  ];
  test.each(cards)('a message that is too long for Discord ends visibly with "…": %s', (_, message) => {
    const shown = texts(message).map((text) => readMarkdown(text));
    expect(shown.some(({ text }) => text.includes('…'))).toBe(true);
  });

  test('a Discord card with too many nodes of every type is cut and stays valid', () => {
    const nodes = Array.from({ length: 4 }, () => [
      { kind: 'text', text: [long] },
      { kind: 'note', text: [long] },
      { kind: 'fields', fields: [{ label: 'a', value: [long] }] },
      { kind: 'code', text: long, keep: 'end' },
      { kind: 'table', columns: ['a'], rows: Array.from({ length: 100 }, () => [long]) },
    ]).flat() as Node[];
    expect(texts(card(long, nodes)).join('').length).toBeGreaterThan(3000);
  });

  test('a code block that is too long for Discord loses whole lines, either at the end or at the start', () => {
    const text = Array.from({ length: 2000 }, (_, i) => `line ${i}`).join('\n');
    const [, end = ''] = texts(card('x', [{ kind: 'code', text, keep: 'end' }]));
    expect(end).toMatch(/^```\n…\nline \d+\n/);
    expect(end).toMatch(/line 1999\n```$/);
    const [, start = ''] = texts(card('x', [{ kind: 'code', text, keep: 'start' }]));
    expect(start).toMatch(/^```\nline 0\n/);
    expect(start).toMatch(/\nline \d+\n…\n```$/);
    for (const code of [start, end]) expect(code.length).toBeGreaterThan(3800);
  });

  test('a table that is too long for Discord is cut and says how many rows are missing', () => {
    const rows = Array.from({ length: 900 }, (_, i) => [`row ${i}`]);
    const [, table = ''] = texts(card('x', [{ kind: 'table', columns: ['a'], rows }]));
    const shown = table.match(/row \d+/g)?.length ?? 0;
    expect(table).toContain(`… and ${900 - shown} more\n`);
  });

  test('if a table row is too wide for Discord, the last cells of the row are shown on a second line', () => {
    const columns = ['id', 'application', 'address', 'tags'];
    const rows = [
      ['9866031b3c9f', 'lobby-chat stable', `wss://9866031b3c9f.${'x'.repeat(30)}:31311`, 'night'],
      ['b81a2adccc94', 'kart-racing', `b81a2adccc94.${'x'.repeat(30)}:31735`, ''],
      ['7c39dc528420', 'kart-racing', '', ''],
    ];
    const [, table = ''] = texts(card('x', [{ kind: 'table', columns, rows }]));
    expect(table.split('\n').slice(1, -1)).toEqual([
      'id            application',
      '  address · tags',
      '9866031b3c9f  lobby-chat stable',
      `  wss://9866031b3c9f.${'x'.repeat(30)}:31311 · night`,
      'b81a2adccc94  kart-racing',
      `  b81a2adccc94.${'x'.repeat(30)}:31735`,
      '7c39dc528420  kart-racing',
    ]);
    // A single long row may take two lines if all other rows then fit on one line.
    const few = [...Array(10).fill(['a', 'b']), ['c', 'x'.repeat(70)]];
    const [, one = ''] = texts(card('x', [{ kind: 'table', columns: ['id', 'name'], rows: few }]));
    expect(one.split('\n').slice(1, 4)).toEqual(['id  name', 'a   b', 'a   b']);
  });

  test('a Discord card with too many tags or ports says how many were left out and keeps the request_id', () => {
    const codes = Array.from({ length: 500 }, (_, i) => [', ', { code: `match-${i}` }])
      .flat()
      .slice(1);
    const ports = Array.from({ length: 300 }, (_, i) => ({
      label: `port-${i}`,
      value: [{ code: `a:${i}` }],
    }));
    const fields = [
      { label: 'Status', value: ['Ready'] },
      ...ports,
      { label: 'Tags', value: codes },
      { label: 'request_id', value: [{ code: 'abcdef012345' }] },
    ];
    const [, text = ''] = texts(card('x', [{ kind: 'fields', fields }]));
    const shown = text.match(/port-\d+/g)?.length ?? 0;
    expect(shown).toBeGreaterThan(50);
    expect(text).toContain(`and ${300 - shown} more`);
    expect(text).toMatch(/match-0.*(…|more)/);
    expect(text).toContain('`abcdef012345`');
  });

  test('a button label of 100 characters is cut to 80 characters on Discord', () => {
    const button: Button = {
      label: '🎮'.repeat(100),
      style: 'primary',
      action: { command: 'a', action: 'b', arg: '' },
    };
    const found = rendered(card('x', [{ kind: 'buttons', buttons: [button] }])).find(
      ({ type }) => type === 2,
    );
    expect([...(found?.label ?? '')]).toHaveLength(80);
    expect(found?.label?.endsWith('…')).toBe(true);
  });
});

describe('a card with too many parts for Discord', () => {
  const button = (i: number, arg = String(i)): Button => ({
    label: `b${i}`,
    style: 'primary',
    action: { command: 'stop', action: 'confirm', arg },
  });
  const bad: [string, Card, RegExp][] = [
    [
      'more than 40 components',
      card(
        'x',
        Array.from({ length: 39 }, (): Node => ({ kind: 'divider' })),
      ),
      /41 components/,
    ],
    [
      'two buttons that do the same',
      card('x', [{ kind: 'buttons', buttons: [button(1), button(2, '1')] }]),
      /do the same/,
    ],
    [
      'an action with a long argument',
      card('x', [{ kind: 'buttons', buttons: [button(1, 'x'.repeat(99))] }]),
      /longer than 100/,
    ],
    [
      'a long address',
      card('x', [{ kind: 'buttons', buttons: [{ label: 'a', url: `https://a.b/${'x'.repeat(600)}` }] }]),
      /512/,
    ],
    [
      'eleven files',
      card('x', [], { files: Array.from({ length: 11 }, (_, i) => textFile(`${i}`, '')) }),
      /11 files/,
    ],
    [
      'a picture larger than Discord accepts',
      card('x', [], { files: [{ name: 'a.png', type: 'image/png', bytes: new Uint8Array(11 << 20) }] }),
      /a\.png: 11534336 bytes/,
    ],
  ];
  test.each(bad)(
    'a Discord card cannot be rendered and throws an error if the card has %s',
    (_, message, problem) => {
      expect(() => payloadOf(message)).toThrow(problem);
    },
  );

  test('seven buttons are shown in two rows on Discord', () => {
    const buttons = Array.from({ length: 7 }, (_, i) => button(i));
    const rows = rendered(card('x', [{ kind: 'buttons', buttons }])).filter(({ type }) => type === 1);
    expect(rows.map(({ components }) => components?.length)).toEqual([5, 2]);
  });
});

test('a picture on Discord gets a safe file name, and a long description of the picture is cut', () => {
  const png = { type: 'image/png', bytes: new Uint8Array([1]) };
  const shown = rendered(
    card('x', [{ kind: 'image', file: '../players of "x".png', alt: 'é'.repeat(1100) }], {
      files: [textFile('a.csv', '1'), { ...png, name: '../players of "x".png' }],
    }),
  );
  const addresses = shown.flatMap(({ file, items }) => [file?.url, items?.[0]?.media.url]).filter(Boolean);
  expect(addresses).toEqual(['attachment://_players_of_x_.png', 'attachment://a.csv']);
  expect(shown.find(({ items }) => items)?.items?.[0]?.description).toBe(`${'é'.repeat(1023)}…`);
});

test('a card node without text adds no empty component to a Discord message', () => {
  const nodes: Node[] = [
    { kind: 'text', text: [''] },
    { kind: 'note', text: [] },
    { kind: 'fields', fields: [] },
    { kind: 'buttons', buttons: [] },
  ];
  expect(rendered(card('x', nodes)).map(({ type }) => type)).toEqual([17, 10]);
  expect(texts({ kind: 'line', tone: 'neutral', text: [] })).toEqual(['…']);
});

test("on Discord, a card's title and note each stay on a single line, even if their text contains line breaks", () => {
  const [title, note] = texts(card('a\n# b', [{ kind: 'note', text: ['c\n', { bold: '- d\ne' }] }]));
  expect(title).not.toContain('\n');
  expect(note).not.toContain('\n');
});

test('the same message key always gives the same marker, and different keys give different markers', () => {
  const markers = Array.from({ length: 5000 }, (_, i) => markerOf(`row-${i}`));
  expect(new Set(markers).size).toBe(markers.length);
  expect(Math.min(...markers)).toBeGreaterThanOrEqual(1000);
  expect(Math.max(...markers)).toBeLessThan(2 ** 31);
  expect(markerOf('row-1')).toBe(markers[1]);
});

test('characters that reverse the reading direction are removed from a Discord message', () => {
  const text = 'a\u202egpj.exe\u2066 b\u200f';
  const nodes: Node[] = [
    { kind: 'text', text: [text, { bold: text }, { code: text }] },
    { kind: 'code', text, keep: 'end' },
  ];
  const shown = JSON.stringify(renderMessage(card(text, nodes)));
  expect(shown.match(/agpj\.exe b/g)).toHaveLength(5);
  expect(shown).not.toMatch(/\p{Bidi_Control}/u);
});

test('if a card has more texts than Discord allows as components, neighbouring texts are combined into one component', () => {
  const buttons = (row: number): Node => ({
    kind: 'buttons',
    buttons: [1, 2, 3, 4].map((nth) => ({
      label: `Button ${nth}`,
      style: 'secondary',
      action: { command: 'logs', action: 'show', arg: `${row}-${nth}` },
    })),
  });
  const rows = [1, 2, 3].flatMap((row): Node[] => [{ kind: 'text', text: [`Row ${row}`] }, buttons(row)]);
  const lines = Array.from({ length: 30 }, (_, nth): Node => ({ kind: 'text', text: [`Line ${nth}`] }));
  const all = rendered(card('Many', [...rows, ...lines]));
  expect(all.length).toBeLessThanOrEqual(40);
  const text = all.flatMap(({ content = [] }) => content).join('\n');
  for (const line of ['Row 1', 'Row 3', ...lines.map((_, nth) => `Line ${nth}`)])
    expect(text).toContain(line);
});
