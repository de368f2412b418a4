/**
 * The limits of a terminal, as data. A terminal scrolls, so little has to be cut. The limits only prevent a long
 * message from pushing the rest of the conversation off the screen.
 */
export const limits = {
  /** Maximum number of lines in a code block. Longer output is sent as a file. */
  codeLines: 200,
  /** Maximum number of columns for prose, because longer lines are hard to read even in a wide window. */
  proseColumns: 100,
  /**
   * Maximum number of columns for labels that stand beside their values, so that a narrow window has room for the
   * values.
   */
  labelColumns: 24,
  /**
   * Lines are never folded to fewer columns than this, even in a narrower window, because shorter lines would not be
   * easier to read.
   */
  leastColumns: 40,
  /** Number of columns that are shown of a line from a pipe. */
  echoColumns: 240,
  /** Number of lines that are kept in the history for the arrow-up key. */
  history: 500,
} as const;
