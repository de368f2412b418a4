import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderMessage } from '../../../src/adapters/console/render.ts';
import type { Card } from '../../../src/chat/card.ts';
import { loadCommands } from '../../../src/command/load.ts';
import { usage } from '../../../src/command/usage.ts';
import { widthOf } from '../../../src/graphemes.ts';

const directory = await loadCommands(join(import.meta.dirname, '../../../commands'));

const context = (columns: number) => ({
  color: false,
  columns,
  now: 0,
  timeZone: 'UTC',
  numberOf: () => 1,
  placeOf: () => '',
});

test.each([40, 60, 80])(
  'in a terminal window of %i columns, the note "only you see this" is wrapped together with the title',
  (columns) => {
    const title = [`deploy needs an application: ${'the application to deploy '.repeat(3)}`];
    for (const message of [
      { kind: 'card', tone: 'danger', title, nodes: [] },
      { kind: 'line', tone: 'danger', text: title },
    ] as const) {
      const lines = renderMessage(message, { ...context(columns), mark: 'only you see this' });
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
      expect(lines.join(' ').replace(/[│╰─\s]+/g, ' ')).toMatch(/deploy \(only you see this\)/);
    }
  },
);

describe.each([20, 40, 80, 100, 200])('fields in a window of %i columns', (columns) => {
  test.each([
    'deploy',
    ...directory.all.flatMap(({ entries }) => entries.map(({ name, options }) => usage(name, options))),
    'x'.repeat(300),
  ])('a card field with the label "%s" fits into the terminal window', (label) => {
    const card: Card = {
      kind: 'card',
      tone: 'neutral',
      title: ['Fields'],
      nodes: [
        {
          kind: 'fields',
          fields: [
            { label, value: ['the value of it, which is a little longer than the rest'] },
            { label: 'short', value: [{ code: 'x' }] },
          ],
        },
      ],
    };
    const lines = renderMessage(card, context(columns));
    expect(lines.join('')).toContain('short');
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(Math.max(columns, 40));
  });
});
