import { setImmediate as nextTurn } from 'node:timers/promises';
import { KEY_LINES, maskLines } from './mask.ts';
import { onScreen } from './screen.ts';

/** How many characters of the log are searched before other work has a turn. */
const BLOCK = 65_536;
/** How many characters are masked at most: masking takes about half a second for a million characters. */
const MOST_MASKED = 2_097_152;

export interface Found {
  /** Masked; '' if no line matches. */
  readonly text: string;
  readonly lines: number;
  /** Whether the whole log was searched. If not, older lines may match, too. */
  readonly isComplete: boolean;
}

/**
 * The last `count` lines of a log that match, masked. Lines are compared after masking, so that nobody can guess a
 * secret by searching for the secret. Other work can run in between.
 */
export async function maskedMatches(
  log: string,
  matches: (line: string) => boolean,
  count: number,
  secrets: readonly string[],
): Promise<Found> {
  let found: string[] = [];
  let masked = 0;
  let end = log.trimEnd().length;
  for (; end > 0 && found.length < count && masked < MOST_MASKED; await nextTurn()) {
    const [begin, from] = blockBefore(log, end);
    const rows = await onScreen(log.slice(from, end).split('\n'));
    end = begin - 1;
    // Masking is slow, so most lines are left out before.
    if (!rows.some(matches)) continue;
    // A secret may begin on a line before.
    const before = log
      .slice(Math.max(0, from - BLOCK), Math.max(0, from - 1))
      .split('\n')
      .slice(-KEY_LINES);
    const context = from === 0 ? [] : await onScreen(before);
    const lines = await maskLines([...context, ...rows], secrets);
    found = [...lines.slice(context.length).filter(matches), ...found].slice(-count);
    masked += lines.reduce((sum, line) => sum + line.length, 0);
  }
  return { text: found.join('\n'), lines: found.length, isComplete: end <= 0 };
}

/**
 * Finds the block of whole lines that ends at `end`. Returns the beginning of the block, and the position from which on
 * the block is read. These differ for a very long line, because only the end of such a line is read.
 */
function blockBefore(log: string, end: number): [begin: number, from: number] {
  const whole = log.indexOf('\n', Math.max(0, end - BLOCK)) + 1;
  const begin = end <= BLOCK ? 0 : whole > 0 && whole < end ? whole : log.lastIndexOf('\n', end - 1) + 1;
  return [begin, Math.max(begin, end - 2 * BLOCK)];
}
