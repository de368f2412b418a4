/**
 * A terminal's limits, as data. A terminal scrolls, so little has to be cut; the limits keep a long message from pushing
 * the rest of the conversation off the screen.
 */
export const limits = {
  /** Lines of one code block. Longer output comes as a file. */
  codeLines: 200,
  /** Columns of prose at most: longer lines are hard to read, even in a wide window. */
  proseColumns: 100,
  /** Columns of labels that stand beside their values: leaves room for the values in a narrow window. */
  labelColumns: 24,
  /** The least columns to fold to, also in a narrower window: shorter lines are no easier to read. */
  leastColumns: 40,
  /** Columns of a pipe's line that are shown. */
  echoColumns: 240,
  /** Lines kept for arrow-up. */
  history: 500,
} as const;
