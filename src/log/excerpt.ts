/** The maximum number of log lines in a message. */
const MOST_LINES = 40;
const MOST_CHARACTERS = 2_400;

/**
 * Returns the last lines of a text that fit into a message. If possible, the excerpt starts at the beginning of a line.
 * The excerpt never starts in the middle of a character.
 */
export function excerpt(text: string): string {
  const whole = text.split('\n').slice(-MOST_LINES).join('\n');
  if (whole.length <= MOST_CHARACTERS) return whole;
  const end = whole.slice(-MOST_CHARACTERS);
  const line = end.indexOf('\n');
  return line === -1 ? end.replace(/^[\uDC00-\uDFFF]/, '') : end.slice(line + 1);
}
