/**
 * The limits of a terminal, as data. A terminal scrolls, so long messages are rarely cut. The limits keep a long
 * message from pushing the rest of the conversation off the screen.
 */
export const limits = {
  /** Maximum number of lines in a code block. Longer output is sent as a file. */
  codeLines: 200,
  /** Maximum number of columns for prose. Longer lines are hard to read even in a wide window. */
  proseColumns: 100,
  /**
   * Maximum number of columns for labels beside their values. The limit leaves columns for the values in a narrow
   * window.
   */
  labelColumns: 24,
  /**
   * Minimum number of columns of a folded line. In a narrower window, lines are still this long, because shorter lines
   * are hard to read.
   */
  leastColumns: 40,
  /** A line from a pipe is shown up to this number of columns. */
  echoColumns: 240,
  /** Number of lines that are kept in the history for the arrow-up key. */
  history: 500,
} as const;
