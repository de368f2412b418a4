import { describe, expect, test } from 'vitest';
import { renderMessage } from '../../../src/adapters/console/render.ts';
import { type Message, type Node, type Tone, textFile } from '../../../src/chat/card.ts';
import { card, context, NOON } from './fixtures.ts';

const deploymentCard = card({
  tone: 'success',
  title: [{ bold: 'kart-racing v1.2' }, ' is ready'],
  nodes: [
    {
      kind: 'fields',
      fields: [
        { label: 'Address', value: [{ link: 'http://a.edgegap.net:31500', text: 'a.edgegap.net:31500' }] },
        { label: 'Place', value: ['Montréal, Canada'] },
        { label: 'Request', value: [{ code: '93924761ccde' }] },
      ],
    },
    { kind: 'note', text: ['asked by ', { mention: 'operator', name: 'you' }] },
    {
      kind: 'buttons',
      buttons: [
        { label: 'Logs', style: 'secondary', action: { command: 'logs', action: 'show', arg: 'a' } },
        { label: 'Stop', style: 'danger', action: { command: 'stop', action: 'ask', arg: 'a' } },
        { label: 'Dashboard', url: 'https://app.edgegap.com' },
      ],
    },
  ],
});

function numbered(button: { label: string }) {
  return button.label === 'Logs' ? 3 : 4;
}

describe('a card in the terminal', () => {
  test('a card in the terminal has a frame, aligned fields and numbered buttons', () => {
    expect(renderMessage(deploymentCard, context({ numberOf: numbered }))).toEqual([
      '╭─ ✓ kart-racing v1.2 is ready',
      '│ Address  http://a.edgegap.net:31500',
      '│ Place    Montréal, Canada',
      '│ Request  93924761ccde',
      '│ asked by @you',
      '╰─ [#3 Logs]  [#4 Stop]  [Dashboard: https://app.edgegap.com]',
    ]);
  });

  test('a card in the terminal shows a mark such as "edited" beside the title', () => {
    expect(renderMessage(card(), context({ mark: 'edited' }))).toEqual(['╭─ • Title  (edited)', '╰─']);
  });

  test('a card in the terminal has colours only if colours are switched on', () => {
    const plain = renderMessage(deploymentCard, context()).join('');
    const coloured = renderMessage(deploymentCard, context({ color: true })).join('');
    expect(plain).not.toContain('\u001b');
    expect(coloured).toContain('\u001b[1m');
    expect(coloured).toContain('\u001b[32m');
  });

  test('the prose of a card is wrapped to the width of the terminal window, and the frame stays intact', () => {
    const text = 'The image could not be pulled because the registry does not know it.';
    const lines = renderMessage(card({ nodes: [{ kind: 'text', text: [text] }] }), context({ columns: 40 }));
    expect(lines).toEqual([
      '╭─ • Title',
      '│ The image could not be pulled because',
      '│ the registry does not know it.',
      '╰─',
    ]);
  });

  test('a long field value of a card is wrapped within the column of the value', () => {
    const lines = renderMessage(
      card({ nodes: [{ kind: 'fields', fields: [{ label: 'Why', value: ['word '.repeat(12).trim()] }] }] }),
      context({ columns: 40 }),
    );
    expect(lines).toEqual([
      '╭─ • Title',
      '│ Why  word word word word word word',
      '│      word word word word word word',
      '╰─',
    ]);
  });

  test('a card in the terminal breaks a word only if the word is longer than a line', () => {
    const lines = renderMessage(
      card({ nodes: [{ kind: 'text', text: ['x'.repeat(90)] }] }),
      context({ columns: 40 }),
    );
    expect(lines.slice(1, -1)).toEqual([`│ ${'x'.repeat(38)}`, `│ ${'x'.repeat(38)}`, `│ ${'x'.repeat(14)}`]);
  });

  test('a card in the terminal shows the name, the size and the path of an attached file', () => {
    const lines = renderMessage(card({ files: [textFile('a.log', 'é'.repeat(2048))] }), context());
    expect(lines).toEqual(['╭─ • Title', '│ a.log, 4 KiB: /tmp/a.log', '╰─']);
  });

  test('a card in the terminal describes a picture in words and shows the path of its file', () => {
    const picture = { name: 'a.png', type: 'image/png', bytes: new Uint8Array(3000) };
    const lines = renderMessage(
      card({
        nodes: [{ kind: 'image', file: 'a.png', alt: 'Players:\u001b[2J 3, then 9' }],
        files: [picture],
      }),
      context(),
    );
    expect(lines).toEqual([
      '╭─ • Title',
      '│ Picture a.png: Players:␛[2J 3, then 9',
      '│ a.png, 3 KiB: /tmp/a.png',
      '╰─',
    ]);
  });

  test('if the buttons of a card do not fit on a single line, the terminal continues them on the next line', () => {
    const buttons = Array.from({ length: 3 }, (_, nth) => ({
      label: `A rather long label ${nth}`,
      style: 'secondary' as const,
      action: { command: 'x', action: 'y', arg: String(nth) },
    }));
    const lines = renderMessage(card({ nodes: [{ kind: 'buttons', buttons }] }), context({ columns: 60 }));
    expect(lines).toEqual([
      '╭─ • Title',
      '│ [A rather long label 0]  [A rather long label 1]',
      '╰─ [A rather long label 2]',
    ]);
  });
});

describe('message tones and card nodes', () => {
  const tones: Tone[] = ['neutral', 'progress', 'success', 'warning', 'danger'];
  test('in the terminal, each tone of a message has its own sign, so that people distinguish tones without colour', () => {
    const signs = tones.map((tone) => renderMessage({ kind: 'line', tone, text: ['x'] }, context())[0]);
    expect(signs).toEqual(['• x', '◌ x', '✓ x', '▲ x', '✗ x']);
  });

  const nodes: [Node, string[]][] = [
    [{ kind: 'text', text: ['two\nlines'] }, ['│ two', '│ lines']],
    [{ kind: 'note', text: ['small'] }, ['│ small']],
    [{ kind: 'divider' }, [`│ ${'─'.repeat(24)}`]],
    [{ kind: 'code', text: 'a\n\tb\n', keep: 'end' }, ['│   a', '│           b']],
    [
      { kind: 'table', columns: ['id', 'where'], rows: [['a1', 'Montréal'], ['b22']] },
      ['│ id   where', '│ a1   Montréal', '│ b22'],
    ],
    [{ kind: 'table', columns: ['id'], rows: [] }, ['│ id']],
    [{ kind: 'fields', fields: [] }, []],
    [{ kind: 'buttons', buttons: [] }, []],
  ];
  test.each(nodes)('the card node %j is rendered as expected in the terminal', (node, expected) => {
    expect(renderMessage(card({ nodes: [node, { kind: 'text', text: ['end'] }] }), context())).toEqual([
      '╭─ • Title',
      ...expected,
      '│ end',
      '╰─',
    ]);
  });
});

describe('a table in the terminal', () => {
  const table = (cells: string[]): Message =>
    card({ nodes: [{ kind: 'table', columns: ['name', 'x'], rows: [cells, ['abc', 'y']] }] });

  test('a table in the terminal stays aligned although wide characters and emoji take more columns', () => {
    expect(renderMessage(table(['日本', 'y']), context()).slice(1, -1)).toEqual([
      '│ name  x',
      '│ 日本  y',
      '│ abc   y',
    ]);
    expect(renderMessage(table(['👩‍🚀🇯🇵', 'y']), context()).slice(2, 3)).toEqual(['│ 👩‍🚀🇯🇵  y']);
    expect(renderMessage(table(['e\u0301\u0301te', 'y']), context()).slice(2, 3)).toEqual([
      '│ e\u0301\u0301te   y',
    ]);
  });

  test('a table that is wider than the terminal window shows each row as a separate block and loses no cell', () => {
    const id = 'x'.repeat(50);
    expect(renderMessage(table([id, 'y']), context({ columns: 40 })).slice(1, -1)).toEqual([
      `│ name  ${id}`,
      '│ x     y',
      '│',
      '│ name  abc',
      '│ x     y',
    ]);
  });
});

describe('a narrow window', () => {
  const id = '93924761ccde';
  const address = `${'a'.repeat(20)}.pr.edgegap.net:31500`;
  const list: Node = {
    kind: 'table',
    columns: ['request_id', 'application', 'status', 'age', 'city', 'by', 'address'],
    rows: [[id, 'kart-racing v1.2', 'Ready', '2 h 10 min', 'Montreal', 'you', address]],
  };
  const shownIn = (columns: number, node: Node) =>
    renderMessage(card({ nodes: [node] }), context({ columns })).slice(1, -1);

  test('if the terminal window is too narrow for all columns of a table, the last columns are left out, and their names are listed', () => {
    expect(shownIn(90, list)).toEqual([
      '│ request_id    application       status  age         city      by',
      '│ 93924761ccde  kart-racing v1.2  Ready   2 h 10 min  Montreal  you',
      '│ Left out, because the window is narrow: address',
    ]);
    expect(shownIn(60, list)).toEqual([
      '│ request_id    application       status  age',
      '│ 93924761ccde  kart-racing v1.2  Ready   2 h 10 min',
      '│ Left out, because the window is narrow: city, by, address',
    ]);
  });

  test('if fewer than four columns of a table fit into the terminal, each row is shown as a block', () => {
    expect(shownIn(50, list)[0]).toBe(`│ request_id   ${id}`);
  });

  test('if an address does not fit beside its label in the terminal, the address is printed on a line of its own', () => {
    const fields = [
      { label: 'Status', value: ['Ready'] },
      { label: 'gameport (UDP)', value: [{ code: address }] },
    ];
    expect(shownIn(50, { kind: 'fields', fields })).toEqual([
      '│ Status          Ready',
      '│ gameport (UDP)',
      `│   ${address}`,
    ]);
  });

  test('when the terminal wraps a line, a comma stays with the word before the comma, even if the word is styled', () => {
    const text = ['aaaa '.repeat(6), { code: 'word' }, ', and more'];
    expect(shownIn(40, { kind: 'text', text })).toEqual([
      `│ ${'aaaa '.repeat(6).trim()} word,`,
      '│ and more',
    ]);
    const longer = ['aaaa '.repeat(7), { code: 'wor' }, ', and more'];
    expect(shownIn(40, { kind: 'text', text: longer })).toEqual([
      `│ ${'aaaa '.repeat(7).trim()}`,
      '│ wor, and more',
    ]);
  });

  test('if a picture has several text drawings, the terminal shows the widest drawing that fits the window', () => {
    const drawn = ['#'.repeat(60), '#'.repeat(36)];
    const image: Node = { kind: 'image', file: 'a.png', alt: 'a chart', drawn };
    expect(shownIn(80, image)[0]).toBe(`│   ${'#'.repeat(60)}`);
    expect(shownIn(50, image)[0]).toBe(`│   ${'#'.repeat(36)}`);
  });
});

describe('a code block in the terminal', () => {
  const long = Array.from({ length: 250 }, (_, nth) => `line ${nth}`).join('\n');
  test('in the terminal, a code block that is too long is cut at the start', () => {
    const lines = renderMessage(card({ nodes: [{ kind: 'code', text: long, keep: 'end' }] }), context());
    expect(lines.slice(1, 3)).toEqual(['│   … 50 more lines', '│   line 50']);
    expect(lines.at(-2)).toBe('│   line 249');
  });
  test('in a terminal window, a code block is wrapped inside the frame; in piped output, a code block is not wrapped', () => {
    const message = card({ nodes: [{ kind: 'code', text: 'x'.repeat(60), keep: 'end' }] });
    expect(renderMessage(message, context())[1]).toBe(`│   ${'x'.repeat(60)}`);
    expect(renderMessage(message, context({ columns: 40 })).slice(1, -1)).toEqual([
      `│   ${'x'.repeat(36)}`,
      `│   ${'x'.repeat(24)}`,
    ]);
  });
  test('in the terminal, a code block that is too long is cut at the end if the card asks for that', () => {
    const lines = renderMessage(card({ nodes: [{ kind: 'code', text: long, keep: 'start' }] }), context());
    expect(lines[1]).toBe('│   line 0');
    expect(lines.slice(-3, -1)).toEqual(['│   line 199', '│   … 50 more lines']);
  });
});

describe('a one-line message in the terminal', () => {
  test('in the terminal, a one-line message that replies to another message starts with an arrow', () => {
    expect(
      renderMessage({ kind: 'line', tone: 'success', text: ['ready'] }, context({ reply: true })),
    ).toEqual(['↳ ✓ ready']);
  });
});

describe('times in the terminal', () => {
  const shown = (time: number, style: 'relative' | 'clock') =>
    renderMessage({ kind: 'line', tone: 'neutral', text: [{ time, style }] }, context())[0]?.slice(2);

  test.each([
    [NOON, 'just now'],
    [NOON - 1000, '1 second ago'],
    [NOON - 59 * 60_000 - 59_000, '59 minutes ago'],
    [NOON + 3_600_000, 'in 1 hour'],
    [NOON - 3 * 86_400_000, '3 days ago'],
  ])('the terminal shows the time %d as "%s"', (time, expected) =>
    expect(shown(time, 'relative')).toBe(expected),
  );

  test('the terminal shows a clock time with the date only if the day is not today', () => {
    expect(shown(NOON - 1000, 'clock')).toBe('11:59:59');
    expect(shown(NOON - 86_400_000, 'clock')).toBe('2026-03-02 12:00:00');
  });
});
