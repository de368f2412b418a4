import { KEY_LINES, maskLines } from '../log/mask.ts';
import { linePattern } from '../log/pattern.ts';
import { onScreen } from '../log/screen.ts';
import { beginOfLast, type Mark, markAt, newPart } from './new-part.ts';

/** The largest number of characters of new lines that are shown after a look. */
export const MOST = 524_288;
/** A secret may begin before the new lines, so this many characters before the new lines are masked, too. */
const CONTEXT = 65_536;

/** A request to read a log, and to find the lines that are new since the earlier look. */
export interface LookJob {
  readonly log: string;
  /** Undefined for the first look. */
  readonly before: Mark | undefined;
  /** How many lines the first look shows. */
  readonly lines: number;
  /** The pattern of the lines to show, as typed. */
  readonly source?: string | undefined;
  readonly invert?: boolean | undefined;
  readonly secrets: readonly string[];
}

export interface Look {
  readonly mark: Mark;
  /** The new whole lines that match, masked. */
  readonly rows: readonly string[];
  /** The line at the end of the log that has no end yet, masked. It is shown again at the next look. */
  readonly open: string;
  /** How many new lines there are, together with those that do not match. */
  readonly news: number;
  /** See `NewPart.isAnew`. */
  readonly isAnew: boolean;
  /** How many characters of new lines are left out, because there are too many. */
  readonly left: number;
}

/** Finds the new lines of a log, and makes them ready for people. The lines are masked, and look as on a screen. */
export async function look(job: LookJob): Promise<Look> {
  const { log } = job;
  const { from, to, isAnew, mark } = job.before ? newPart(job.before, log) : lastLines(log, job.lines);
  const begin = beginAtMost(log, from, to);
  const whole = begin < to ? await onScreen(log.slice(begin, to - 1).split('\n')) : [];
  const [open = ''] = (await onScreen([log.slice(Math.max(to, begin))])).slice(-1);
  const context = begin === 0 ? [] : await onScreen(linesBefore(log, begin));
  const masked = await maskLines([...context, ...whole, open], job.secrets);
  const rows = masked.slice(context.length);
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

function lastLines(log: string, count: number) {
  const to = log.lastIndexOf('\n') + 1;
  return { from: Math.min(beginOfLast(log, count), to), to, isAnew: false, mark: markAt(log, to) };
}

/** The place from which on the new lines are shown. Only a very long line is cut. */
function beginAtMost(log: string, from: number, to: number): number {
  const most = Math.max(from, log.length - MOST);
  if (most === from) return from;
  const line = log.indexOf('\n', most) + 1;
  const isShort = line > 0 && line < log.length && line - most <= CONTEXT;
  return isShort ? line : Math.min(most, Math.max(to, from));
}

function linesBefore(log: string, begin: number): string[] {
  return log
    .slice(Math.max(0, begin - CONTEXT), begin - 1)
    .split('\n')
    .slice(-KEY_LINES);
}

async function matcher({ source, invert = false }: LookJob): Promise<(line: string) => boolean> {
  if (source === undefined) return () => true;
  const pattern = await linePattern(source);
  return (line) => 'matches' in pattern && pattern.matches(line) !== invert;
}
