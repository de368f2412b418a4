import { describe, expect, test } from 'vitest';
import { codeBlock, escapeMarkdown, toMarkdown } from '../../../src/adapters/discord/markdown.ts';
import type { Inline } from '../../../src/chat/card.ts';
import { readMarkdown } from '../../support/discord-markdown.ts';

const nasty = [
  'plain words, kart-racing v1.2 at 10.0.0.1:7777 (UDP)',
  '**bold** *it* _it_ __under__ ~~gone~~ ||spoiler||',
  '***all*** **__mix__** snake_case_name *',
  '`code` ``more`` ```block``` `',
  '```js\nalert(1)\n```',
  '# heading\n## second\n### third\n#### none',
  '-# small\n- list\n* list\n+ list\n  - nested',
  '1. one\n2. two\n10. ten',
  '> quote\n>>> all of it',
  '<@500000000000000006> <@!5> <@&300000000000000001> <#400000000000000001>',
  '@everyone @here',
  '<t:1700000000:R> <t:1>',
  '<:kart:123456789012345678> <a:kart:123456789012345678> :smile: :+1:',
  '</deploy:123456789012345678> <id:customize>',
  'https://evil.example/login?x=1 http://a.b <https://c.d> <mailto:a@b.c>',
  '[Click](https://evil.example) [a](<https://b.c>) [x]: y',
  '\\*not\\* \\\\ \\',
  '¯\\_(ツ)_/¯ 日本語 émoji 🎮 \u202eright',
  '"quotes" \'that\' never “close',
  '   leading, trailing   ',
  '\n\nlines\n\n',
  '-',
  '#',
  '1.',
  '. x',
  '# x',
  '',
];

test('the Markdown reader that these tests use interprets unescaped markup', () => {
  const obeyed = nasty.slice(1, 15).map((text) => readMarkdown(text).marks.length > 0);
  expect(obeyed).not.toContain(false);
});

/** The text without the characters that are invisible on screen. */
function visible(text: string): string {
  return text.replaceAll('\u200b', '');
}

describe('escaping text for Markdown', () => {
  test.each(nasty)('the escaped string %j is shown as plain text', (text) => {
    expect(readMarkdown(escapeMarkdown(text))).toEqual({ text, marks: [] });
  });

  test('an escaped string is shown as plain text, whatever text stands beside the string', () => {
    for (const first of nasty)
      for (const second of nasty)
        expect(readMarkdown(toMarkdown([first, second]))).toEqual({ text: first + second, marks: [] });
  });

  test('random strings of markup characters are shown as plain text after escaping', () => {
    const random = seeded(7);
    const alphabet = [
      ...'*_~|`[]()<>@#:.-+!&/\\ \n19ahtps',
      '**',
      '```',
      'http://',
      '@here',
      '<@5>',
      '-# ',
      '1. ',
    ];
    for (let i = 0; i < 5000; i++) {
      const pick = () => alphabet[Math.floor(random() * alphabet.length)] ?? '';
      const parts = [1, 2, 3].map(() => Array.from({ length: Math.floor(random() * 8) }, pick).join(''));
      const shown = readMarkdown(toMarkdown(parts));
      expect({ parts, ...shown }).toEqual({ parts, text: parts.join(''), marks: [] });
    }
  });

  test('escaping for Discord removes control characters and makes all line breaks the same', () => {
    expect(escapeMarkdown('a\u0000b\u001b[31mc\r\nd\re\tf')).toBe('ab\\[31mc\nd\ne\tf');
  });
});

describe('Markdown written by the bot', () => {
  test.each(nasty.filter((text) => text.trim() !== ''))(
    'the text %j written in bold is shown in bold',
    (text) => {
      expect(readMarkdown(toMarkdown([{ bold: text }]))).toEqual({ text, marks: ['bold'] });
    },
  );

  test.each(nasty.filter((text) => text.trim() !== ''))(
    'the text %j written as inline code is shown as code',
    (text) => {
      const { text: shown, marks } = readMarkdown(toMarkdown([{ code: text }]));
      expect(marks).toEqual(['code']);
      expect(visible(shown)).toBe(text.replace(/\s*\n\s*/g, ' '));
    },
  );

  test.each(nasty.filter((text) => text.trim() !== ''))(
    'the text %j written as a code block is shown as a code block',
    (text) => {
      const { text: shown, marks } = readMarkdown(codeBlock(text));
      expect(marks).toEqual(['code block']);
      expect(visible(shown)).toBe(text.replace(/^\n+|\n+$/g, ''));
    },
  );

  test('an empty code block is still a code block', () => {
    for (const text of ['', '\n', '\n\n'])
      expect(readMarkdown(codeBlock(text)).marks).toEqual(['code block']);
  });

  test('neighbouring pieces of markup stay separate', () => {
    const rich: Inline[] = [
      { bold: 'a' },
      { bold: 'b' },
      { code: 'c' },
      { code: 'd`' },
      { code: 'e' },
      '*',
      { bold: 'f' },
      '*',
    ];
    const { text, marks } = readMarkdown(toMarkdown(rich));
    expect(visible(text)).toBe('abcd`e*f*');
    expect(marks).toEqual(['bold', 'bold', 'code', 'code', 'code', 'bold']);
  });

  test('a link on Discord shows its text, and only a web address becomes a link', () => {
    expect(toMarkdown([{ link: 'https://a.b/c_(d)?e=<f> g', text: 'a [b] (c)' }])).toBe(
      '[a \\[b\\] \\(c\\)](https://a.b/c_%28d%29?e=%3Cf%3E%20g)',
    );
    for (const link of ['javascript:alert(1)', 'not an address', ''])
      expect(toMarkdown([{ link, text: 'x*y*' }])).toBe('x\\*y\\*');
  });

  test('a channel id becomes a link to the Discord channel, and any other text stays plain text', () => {
    expect(toMarkdown([{ channel: '500000000000000007' }])).toBe('<#500000000000000007>');
    expect(toMarkdown([{ channel: '*x*' }])).toBe('\\#\\*x\\*');
  });

  test("mentions and times use Discord's own syntax", () => {
    expect(toMarkdown([{ mention: '500000000000000006', name: 'Olga' }])).toBe('<@500000000000000006>');
    expect(toMarkdown([{ mention: '@everyone', name: '@here' }])).toBe('\\@here');
    expect(toMarkdown([{ person: '500000000000000006', name: 'Olga' }])).toBe('<@500000000000000006>');
    expect(toMarkdown([{ person: '@everyone', name: '@here' }])).toBe('\\@here');
    expect(toMarkdown([{ time: 1_700_000_000_000, style: 'until' }])).toBe('<t:1700000000:R>');
    expect(toMarkdown([{ time: 1_700_000_000_999, style: 'relative' }])).toBe('<t:1700000000:R>');
    expect(toMarkdown([{ time: 1_700_000_000_000, style: 'clock' }])).toBe('<t:1700000000:f>');
  });
});

describe('cutting Markdown', () => {
  test.each(nasty.filter((text) => text.length > 10))(
    'if the text %j is cut at any position, the rest is still valid Markdown',
    (text) => {
      const rich: Inline[] = [
        text,
        { bold: text },
        { code: text },
        { link: 'https://a.b', text },
        { mention: '500000000000000006', name: 'x' },
      ];
      const whole = toMarkdown(rich);
      for (let room = 1; room < whole.length; room++) {
        const cut = toMarkdown(rich, room);
        expect(cut.length).toBeLessThanOrEqual(room);
        expect(readMarkdown(cut).text).toContain('…');
        const marks = readMarkdown(cut).marks;
        expect(['bold', 'code', 'link', 'mention'].slice(0, marks.length)).toEqual(marks);
      }
      expect(toMarkdown(rich, whole.length)).toBe(whole);
    },
  );

  test('cutting Markdown never splits a character', () => {
    expect(toMarkdown(['🎮🎮🎮🎮'], 6)).toBe('🎮🎮…');
  });
});

/** Random numbers from 0 to 1, which are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
