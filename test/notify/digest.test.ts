import { describe, expect, test } from 'vitest';
import { fits as fitsDiscord, renderMessage } from '../../src/adapters/discord/render.ts';
import { fitsWhole as fitsSlack, render as renderSlack } from '../../src/adapters/slack/renderer.ts';
import type { Inline, Line } from '../../src/chat/card.ts';
import { digestOf, fold } from '../../src/notify/batch.ts';
import { fromRow, type OutboxRow } from '../../src/notify/row.ts';

/** The line about a ready server with a long name and the given number of ports. */
function ready(n: number, ports: number): OutboxRow {
  const id = `93924761c${String(n).padStart(3, '0')}`;
  const links = Array.from({ length: ports }, (_, port): Inline[] => [
    port === 0 ? ': ' : ' · ',
    { code: `${id}.pr.edgegap.net:${31_000 + port}` },
  ]).flat();
  const line: Line = {
    kind: 'line',
    tone: 'success',
    text: [
      { mention: '123456789012345678', name: 'Ada Lovelace' },
      ' ',
      { bold: 'kart_racing-dedicated v1.2.345' },
      ' ',
      { code: id },
      ' is ready',
      ...links,
    ],
  };
  return fromRow({
    id: n,
    order_key: `d${n}`,
    kind: 'post',
    platform: 'p',
    workspace: 'w',
    channel: 'c',
    thread: null,
    person: null,
    target_json: null,
    message_json: JSON.stringify(line),
    also_to_channel: 0,
    urgent: 0,
    key: `k${n}`,
    sent_key: null,
    state: 'pending',
    holder: null,
    uncertain: 0,
    attempts: 0,
    attempted_at: null,
    next_at: 0,
    created_at: 0,
    sent_at: null,
    reason_code: null,
    reason: null,
  });
}

describe.each([
  ['Discord', fitsDiscord, (line: Line) => JSON.stringify(renderMessage(line))],
  ['Slack', fitsSlack, (line: Line) => JSON.stringify(renderSlack(line).blocks)],
] as const)('a digest on %s', (_, fits, rendered) => {
  test.each([1, 4, 8, 16, 40])('a digest of servers with %i ports names each of its servers', (ports) => {
    const rows = Array.from({ length: 30 }, (_, n) => ready(n, ports));
    const folded = fold(rows, fits);
    expect(folded.length).toBeGreaterThan(1);
    const shown = rendered(digestOf(folded));
    for (const n of folded.keys()) {
      const id = `93924761c${String(n).padStart(3, '0')}`;
      expect(shown).toContain(`${id}.pr.edgegap.net:${31_000 + ports - 1}`);
    }
  });

  test('a digest of lines of which only a single line fits holds that line alone', () => {
    const rows = Array.from({ length: 5 }, (_, n) => ready(n, 90));
    expect(fold(rows, fits)).toHaveLength(1);
  });
});
