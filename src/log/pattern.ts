/** Decides whether a line of a log matches the pattern that a person typed. */
export interface LinePattern {
  /** The pattern as the person typed it. */
  readonly source: string;
  matches(line: string): boolean;
}

/** A pattern with an error. `problem` is a text that describes the error. */
export interface BadPattern {
  readonly problem: string;
}

/** The time to compile and to match a pattern grows with the numbers in braces. */
const MOST_REPEATS = 200;

/**
 * Reads a pattern. `/…/` and `/…/i` are regular expressions in RE2's syntax. Any other text matches literally, in upper
 * or lower case. The time that RE2 needs is at most proportional to the length of a line and the size of the pattern.
 */
export async function linePattern(source: string): Promise<LinePattern | BadPattern> {
  const [, expression, flags = ''] = /^\/(.+)\/([a-z]*)$/s.exec(source) ?? [];
  if (expression === undefined) {
    const wanted = source.toLowerCase();
    return { source, matches: (line) => line.toLowerCase().includes(wanted) };
  }
  if (!/^i?$/.test(flags))
    return { problem: `the only letter that may follow the second slash is i, not ${flags}` };
  const repeats = [...expression.matchAll(/\{(\d+)?(?:,(\d+)?)?\}/g)].map(([, least = 0, most = 0]) =>
    Math.max(+least, +most),
  );
  if (repeats.reduce((sum, count) => sum + count, 0) > MOST_REPEATS)
    return { problem: `the numbers in braces add up to more than ${MOST_REPEATS}` };
  const { RE2JS, RE2JSException } = await import('re2js');
  try {
    const compiled = RE2JS.compile(expression, flags === 'i' ? RE2JS.CASE_INSENSITIVE : 0);
    return { source, matches: (line) => compiled.test(line) };
  } catch (error) {
    if (error instanceof RE2JSException)
      return { problem: error.message.replace(/^error parsing regexp: /, '') };
    throw error;
  }
}
