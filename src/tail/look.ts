import { CONTEXT, maskRows } from '../log/mask-rows.ts';
import { linePattern } from '../log/pattern.ts';
import { onScreen } from '../log/screen.ts';
import { beginOfLast, type Mark, markAt, newPart } from './new-part.ts';

/** The maximum number of characters of new lines that one reading shows. */
export const MOST = 524_288;
/** A word with fewer characters than this is too short to be a secret. */
const SHORT_WORD = 6;

/** A request to read a log, and to find the lines that are new since the last reading. */
export interface LookJob {
  readonly log: string;
  /** Undefined for the first reading. */
  readonly before: Mark | undefined;
  /** How many lines the first reading shows. */
  readonly lines: number;
  /** The pattern of the lines to show, as the person typed it. */
  readonly source?: string | undefined;
  readonly invert?: boolean | undefined;
  readonly secrets: readonly string[];
}

export interface Look {
  readonly mark: Mark;
  /** The complete new lines that match the pattern, with secrets masked. */
  readonly rows: readonly string[];
  /**
   * The last line of the log if the line has no line break yet, with secrets masked. A long last word is left out,
   * because it may be the beginning of a secret. The next reading shows this line again.
   */
  readonly open: string;
  /** The number of new lines, including the lines that do not match the pattern. */
  readonly news: number;
  /** See `NewPart.isAnew`. */
  readonly isAnew: boolean;
  /** How many characters of the new lines are left out, because the new lines are longer than `MOST`. */
  readonly left: number;
}

/**
 * Finds the new lines of a log and prepares them for display. The lines look as they would in a terminal, with secrets
 * masked.
 */
export async function look(job: LookJob): Promise<Look> {
  const { log } = job;
  const { from, to, isAnew, mark } = job.before ? newPart(job.before, log) : lastLines(log, job.lines);
  const begin = beginAtMost(log, from, to);
  const whole = begin < to ? await onScreen(log.slice(begin, to - 1).split('\n')) : [];
  const [open = ''] = (await onScreen([withoutLastWord(log.slice(Math.max(to, begin)))])).slice(-1);
  const rows = await maskRows(log, begin, [...whole, open], job.secrets);
  const last = rows.pop() ?? '';
  const isWanted = await matcher(job);
  return {
    mark,
    rows: rows.filter(isWanted),
    open: last !== '' && isWanted(last) ? last : '',
    news: rows.length,
    isAnew,
    left: begin - from,
  };
}

/**
 * Removes the last word of a line without a line break, unless the word is short. The word may be the beginning of a
 * secret, which the mask does not recognise.
 */
function withoutLastWord(line: string): string {
  const end = 1 + Math.max(...[' ', '\t', '\r', '\n'].map((space) => line.lastIndexOf(space)));
  return line.length - end < SHORT_WORD ? line : line.slice(0, end);
}

function lastLines(log: string, count: number) {
  const to = log.lastIndexOf('\n') + 1;
  return { from: Math.min(beginOfLast(log, count), to), to, isAnew: false, mark: markAt(log, to) };
}

/** Finds the position from which the new lines are shown. Only a very long line is cut. */
function beginAtMost(log: string, from: number, to: number): number {
  const most = Math.max(from, log.length - MOST);
  if (most === from) return from;
  const line = log.indexOf('\n', most) + 1;
  const isShort = line > 0 && line < log.length && line - most <= CONTEXT;
  return isShort ? line : Math.min(most, Math.max(to, from));
}

async function matcher({ source, invert = false }: LookJob): Promise<(line: string) => boolean> {
  if (source === undefined) return () => true;
  const pattern = await linePattern(source);
  return (line) => 'matches' in pattern && pattern.matches(line) !== invert;
}
