import { KEY_LINES, maskLines } from './mask.ts';
import { onScreen } from './screen.ts';

/** This many characters before the rows are also masked, because a secret may begin there. */
export const CONTEXT = 65_536;

/**
 * Masks secrets in `rows` and returns the same number of rows. The rows are the part of the log that begins at `begin`,
 * as a terminal would show this part.
 */
export async function maskRows(
  log: string,
  begin: number,
  rows: readonly string[],
  secrets: readonly string[],
): Promise<string[]> {
  const context = begin === 0 ? [] : await onScreen(linesBefore(log, begin));
  return (await maskLines([...context, ...rows], secrets)).slice(context.length);
}

function linesBefore(log: string, begin: number): string[] {
  return log
    .slice(Math.max(0, begin - CONTEXT), begin - 1)
    .split('\n')
    .slice(-KEY_LINES);
}
