import { hash } from 'node:crypto';

/** The number of lines that are compared. Fewer lines might occur twice in a log. */
const LINES = 64;

/**
 * The bot's record of how far it has read a log. A mark contains no text of the log, because a log may contain secrets.
 */
export interface Mark {
  /** The number of characters of the log, up to the end of the last complete line. */
  readonly length: number;
  /** The hashes of the last complete lines, oldest line first. */
  readonly lines: readonly string[];
}

/** The lines that are new since the earlier log. */
export interface NewPart {
  /** The position in the log at which the new lines begin. */
  readonly from: number;
  /** The position in the log at which the last complete line ends. A line without a line break may follow. */
  readonly to: number;
  /** Whether the log has no lines in common with the earlier log. Lines between the two logs may then be missing. */
  readonly isAnew: boolean;
  readonly mark: Mark;
}

/**
 * Finds the new lines by comparing the content, because Edgegap always sends the whole log. The log may have grown, may
 * have lost its first lines, or may have restarted from the beginning.
 */
export function newPart(before: Mark, log: string): NewPart {
  const { length, lines } = before;
  // An empty answer changes nothing, because a new log may not have started yet.
  if (log === '') return { from: 0, to: 0, isAnew: false, mark: before };
  const to = log.lastIndexOf('\n') + 1;
  const mark = markAt(log, to);
  const hasGrown = length === 0 || (length <= to && log[length - 1] === '\n');
  if (hasGrown && isSame(markAt(log, length, lines.length).lines, lines))
    return { from: length, to, isAnew: false, mark };
  const from = to === 0 ? 0 : endOf(lines, log.slice(0, to - 1).split('\n'));
  return { from, to, isAnew: from === 0 && length > 0, mark };
}

/** The position at which the last `count` lines of the log begin. */
export function beginOfLast(log: string, count: number): number {
  let begin = log.endsWith('\n') ? log.length : log.length + 1;
  for (let n = 0; n < count && begin > 0; n++) begin = beginOf(log, begin - 1);
  return Math.min(begin, log.length);
}

/** Returns the mark of the log up to the position `end`, at which a line ends. */
export function markAt(log: string, end: number, count = LINES): Mark {
  const lines: string[] = [];
  for (let at = end; at > 0 && lines.length < count; ) {
    const begin = beginOf(log, at - 1);
    lines.push(hashOf(log.slice(begin, at - 1)));
    at = begin;
  }
  return { length: end, lines: lines.reverse() };
}

/** Returns the beginning of the line that ends at the position `end`. */
function beginOf(log: string, end: number): number {
  return end === 0 ? 0 : log.lastIndexOf('\n', end - 1) + 1;
}

/**
 * Finds the position after the lines whose hashes are `known`. Returns 0 if these lines are not in the log. If the same
 * lines occur several times, the last occurrence counts, so that no line is shown twice. If the log has lost its first
 * lines, some of the known lines may also be missing, and the first line of the log may be incomplete.
 */
function endOf(known: readonly string[], lines: readonly string[]): number {
  const hashes = lines.map(hashOf);
  for (let end = hashes.length; end > 0; end--) {
    let same = 0;
    while (same < known.length && same < end && hashes[end - 1 - same] === known.at(-1 - same)) same++;
    const isFound = same === known.length || same === end || (same === end - 1 && same > 1);
    if (same > 0 && isFound) return lines.slice(0, end).reduce((sum, line) => sum + line.length + 1, 0);
  }
  return 0;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((line, index) => line === others[index]);
}

function hashOf(line: string): string {
  return hash('sha256', line, 'base64').slice(0, 12);
}
