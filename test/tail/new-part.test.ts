import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginOfLast, type Mark, markAt, newPart } from '../../src/tail/new-part.ts';

const EMPTY: Mark = { length: 0, lines: [] };

/** Reads the logs one after the other. Returns the new complete lines, and how many times the log started again. */
function followed(logs: readonly string[]): { text: string; anew: number } {
  let [mark, text, anew] = [EMPTY, '', 0];
  for (const log of logs) {
    const part = newPart(mark, log);
    text += log.slice(part.from, part.to);
    if (part.isAnew) anew += 1;
    mark = part.mark;
  }
  return { text, anew };
}

const line = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', ' ', 'ß', '🏁', '\r') });
/** Only a few different lines, like the log of a server that is idle. */
const lines = fc.array(fc.oneof(line, fc.constantFrom('tick', '')), { maxLength: 90 });
const asText = (all: readonly string[]) => all.map((one) => `${one}\n`).join('');
/** Lines with numbers, like the log of a server that writes the time. */
const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `${from + index} tick`);

describe('the new lines of a log', () => {
  test('each line of a growing log counts as new exactly once, even if lines repeat or are incomplete at first', () => {
    fc.assert(
      fc.property(lines, fc.array(fc.nat(), { maxLength: 20 }), (all, cuts) => {
        const whole = asText(all);
        const logs = cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b);
        const seen = followed([...logs.map((end) => whole.slice(0, end)), whole]);
        expect(seen).toEqual({ text: whole, anew: 0 });
      }),
    );
  });

  test('each line of a growing log counts as new exactly once, even if the log loses its first lines', () => {
    const step = fc.record({ grow: fc.nat(100), lose: fc.nat(40), cut: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const all = numbered(100, 60);
        const logs = [asText(all)];
        let lost = 0;
        for (const { grow, lose, cut } of steps) {
          // The log keeps at least two complete lines of the earlier log.
          lost = Math.min(lost + lose, all.length - 3);
          all.push(...numbered(100 + all.length, grow));
          logs.push(asText(all.slice(lost)).slice(cut));
        }
        expect(followed(logs)).toEqual({ text: asText(all), anew: 0 });
      }),
    );
  });

  test('if a log has no line in common with its earlier content, all its lines count as new', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 200 }), (before, after) => {
        const [earlier, later] = [asText(numbered(100, before)), asText(numbered(5_000, after))];
        expect(followed([earlier, later])).toEqual({ text: earlier + later, anew: 1 });
      }),
    );
  });

  test('a rotated log counts once as a new log, and an empty answer in between changes nothing', () => {
    const [first, second] = [asText(numbered(1, 80)), asText(numbered(500, 3))];
    expect(followed([first, '', first, '', second, second])).toEqual({ text: first + second, anew: 1 });
  });

  test('if all lines of a log are equal and the first lines are lost, no line counts as new again', () => {
    const tick = (count: number) => asText(Array<string>(count).fill('tick'));
    expect(followed([tick(100), tick(70), tick(70)])).toEqual({ text: tick(100), anew: 0 });
  });

  test('the state that the bot keeps for a log of 24 MB is small, and contains no text of the log', () => {
    const log = asText(numbered(1, 2_000_000));
    const json = JSON.stringify(markAt(log, log.length));
    expect(log.length).toBeGreaterThan(24_000_000);
    expect(json.length).toBeLessThan(2_048);
    expect(json).not.toContain('tick');
  });

  test.each([
    ['', 3, ''],
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\n', 9, 'a\nb\n'],
    ['\n\n', 1, '\n'],
  ])('in the log %j, the last %d lines are %j', (log, count, expected) => {
    expect(log.slice(beginOfLast(log, count))).toBe(expected);
  });
});
