import { maskRows } from './mask-rows.ts';
import { linePattern } from './pattern.ts';
import { onScreen } from './screen.ts';

/** The number of characters of the log that are masked and searched at once. */
const BLOCK = 65_536;

/** The search for the lines of a log that match a pattern. */
export interface LogSearch {
  readonly log: string;
  /** The pattern as the person typed it. */
  readonly source: string;
  /** Whether to return the lines that do not match. */
  readonly invert: boolean;
  /** The maximum number of lines to return. The newest lines are found first. */
  readonly count: number;
  /** Values to mask. */
  readonly secrets: readonly string[];
}

export interface Found {
  /** The masked lines. Empty if no line matches. */
  readonly text: string;
  readonly lines: number;
  /** Whether the whole log was searched. If false, older lines may also match. */
  readonly isComplete: boolean;
}

/**
 * Finds the newest lines of a log that match. Every line is masked before the comparison, so that people cannot guess a
 * secret by searching for it. Runs in a separate thread (see `src/tail/searches.ts`).
 */
export async function searchLog({ log, source, invert, count, secrets }: LogSearch): Promise<Found> {
  const pattern = await linePattern(source);
  if ('problem' in pattern) throw new Error(pattern.problem);
  const found: string[] = [];
  let end = log.trimEnd().length;
  while (end > 0 && found.length < count) {
    const [begin, from] = blockBefore(log, end);
    const rows = await onScreen(log.slice(from, end).split('\n'));
    const lines = await maskRows(log, from, rows, secrets);
    found.unshift(...lines.filter((line) => pattern.matches(line) !== invert));
    end = begin - 1;
  }
  const newest = found.slice(-count);
  return { text: newest.join('\n'), lines: newest.length, isComplete: end <= 0 };
}

/**
 * Finds the block of whole lines that ends at `end`. Returns the beginning of the block, and the position from which
 * the block is read. The two values differ for a very long line, because only the end of a very long line is read.
 */
function blockBefore(log: string, end: number): [begin: number, from: number] {
  const whole = log.indexOf('\n', Math.max(0, end - BLOCK)) + 1;
  const begin = end <= BLOCK ? 0 : whole > 0 && whole < end ? whole : log.lastIndexOf('\n', end - 1) + 1;
  return [begin, Math.max(begin, end - 2 * BLOCK)];
}
