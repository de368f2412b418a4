import { setImmediate as nextTurn } from 'node:timers/promises';
import { KEY_LINES, LONGEST_LINE, maskLines } from './mask.ts';
import { onScreen } from './screen.ts';

/**
 * The maximum number of characters of a log that are masked and shown. A log may have 32 MiB, but people do not read
 * that much in chat.
 */
const MOST = 524_288;
/**
 * This many characters before the shown part are also masked, because a secret that begins there may extend into the
 * shown part.
 */
const BEFORE = 65_536;
/** The number of lines that are counted before other work can run. */
const SLICE = 65_536;

export interface Tail {
  /** The masked text without trailing spaces. Empty for an empty log. */
  readonly text: string;
  readonly lines: number;
  /**
   * The number of lines in the whole log. If the requested lines are too long together, `lines` is smaller than the
   * requested number.
   */
  readonly total: number;
}

/** Returns the last `count` lines of a log, masked. Other work can run in between. */
export async function maskedTail(log: string, count: number, secrets: readonly string[]): Promise<Tail> {
  const whole = log.trimEnd();
  if (whole === '') return { text: '', lines: 0, total: 0 };
  const begin = Math.max(0, whole.length - MOST - BEFORE);
  const near = whole.slice(begin).split('\n');
  const all = await lineCount(whole);
  // If `begin` is in the middle of the log, `near` begins in the middle of a line. This line is left out, unless the
  // line extends far into the shown part.
  const long = begin > 0 && (near[0]?.length ?? 0) > BEFORE + LONGEST_LINE;
  const isCut = begin > 0 && !long;
  if (isCut) near.shift();
  const rows = await onScreen(near);
  const before = isCut ? Math.min(linesWithin(rows, BEFORE), rows.length - 1) : 0;
  const from = Math.max(before, rows.length - count);
  const start = Math.max(0, from - KEY_LINES);
  const lines = (await maskLines(rows.slice(start), secrets)).slice(from - start);
  if (long && from === 0) lines[0] = longer(lines[0] ?? '', begin - whole.lastIndexOf('\n', begin - 1) - 1);
  return {
    text: lines.join('\n'),
    lines: lines.length,
    total: all - near.length + rows.length,
  };
}

/** Corrects the note in a line that was cut twice: adds the number of characters that the earlier cut removed. */
function longer(line: string, by: number): string {
  return line.replace(/^\[… (\d+)/, (_, left: string) => `[… ${Number(left) + by}`);
}

async function lineCount(text: string): Promise<number> {
  let count = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
    if (++count % SLICE === 0) await nextTurn();
  return count;
}

/** Returns how many lines at the beginning are needed to exceed this many characters. */
function linesWithin(lines: readonly string[], characters: number): number {
  let length = 0;
  const index = lines.findIndex((line) => {
    length += line.length + 1;
    return length > characters;
  });
  return index + 1;
}
