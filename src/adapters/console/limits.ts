/**
 * What a terminal can take, as data. A terminal scrolls, so little has to be cut;
 * these keep one message from burying the rest of the conversation.
 */
export const limits = {
  /** Lines of one code block. Longer output comes as a file. */
  codeLines: 200,
  /** Columns used for prose: longer lines are hard to read, however wide the window is. */
  proseColumns: 100,
  /** Columns of the labels beside their values: leaves room for the values in the narrowest window. */
  labelColumns: 24,
  /** Below this a window is taken to be this wide; folding any tighter helps nobody. */
  leastColumns: 40,
  /** Columns of a typed line that are repeated when it comes from a pipe. */
  echoColumns: 240,
  /** Lines kept for arrow-up. */
  history: 500,
} as const;
