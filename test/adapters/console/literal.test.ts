import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { literalLine, literalLines } from '../../../src/adapters/console/literal.ts';
import { renderMessage } from '../../../src/adapters/console/render.ts';
import { textFile } from '../../../src/chat/card.ts';
import { card, context } from './fixtures.ts';

const attacks = {
  'to change the colour': 'before \u001b[31mred\u001b[0m after',
  'to clear the screen': '\u001b[2J\u001b[H',
  'to rename the window': '\u001b]0;owned\u0007',
  'to show a link that hides its target': '\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\',
  'to use an 8-bit control sequence': '\u009b31mred',
  'to overwrite the line': 'harmless\rEVIL    ',
  'to delete the text before': 'good\b\b\b\bevil',
  'to ring the bell and delete': '\u0007\u007f',
  'to reverse the reading direction': '\u202egnp.exe \u2066x\u2069 \u200f',
  'to start a new line': 'a\u2028b\u0085c',
};

describe('literal text in a terminal', () => {
  test.each(Object.entries(attacks))(
    'literal text cannot send control sequences to the terminal: %s',
    (_, text) => {
      const message = card({
        title: [text],
        nodes: [
          { kind: 'text', text: [text, { bold: text }, { code: text }, { link: text, text }] },
          { kind: 'note', text: [{ mention: text, name: text }] },
          { kind: 'fields', fields: [{ label: text, value: [text] }] },
          { kind: 'table', columns: [text], rows: [[text]] },
          { kind: 'code', text, keep: 'end' },
          {
            kind: 'buttons',
            buttons: [
              { label: text, url: text },
              { label: text, style: 'danger', action: { command: 'a', action: 'b', arg: '' } },
            ],
          },
        ],
        files: [textFile(text, text)],
      });
      for (const line of renderMessage(message, context())) {
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
        expect(stripVTControlCharacters(line)).toBe(line);
      }
    },
  );

  test('control characters in literal text are shown as visible signs', () => {
    expect(literalLine('\u001b[31mred\u0007 \u007f \u009b1m \u202e')).toBe('␛[31mred␇ ␡ ‹U+009B›1m ‹U+202E›');
    expect(literalLine('one\r\ntwo\nthree\rfour')).toBe('one⏎two⏎three␍four');
  });

  test('half of a surrogate pair is replaced by a visible character', () => {
    expect(literalLine('a\ud83d')).toBe('a\ufffd');
  });

  test('emoji that are joined by invisible characters stay whole', () => {
    expect(literalLine('👩‍🚀 ❤️')).toBe('👩‍🚀 ❤️');
  });

  test('a tab is replaced by blanks up to the next multiple of eight columns', () => {
    expect(literalLines('a\tb\n1234567\tx\n12345678\tx')).toEqual([
      'a       b',
      '1234567 x',
      '12345678        x',
    ]);
  });
});
