/**
 * Returns the last lines of a text, but no more than `lines` lines and `characters` characters. If possible, the
 * excerpt starts at the beginning of a line. It never starts in the middle of a character.
 */
export function excerpt(text: string, lines: number, characters: number): string {
  const whole = text.split('\n').slice(-lines).join('\n');
  if (whole.length <= characters) return whole;
  const end = whole.slice(-characters);
  const line = end.indexOf('\n');
  return line === -1 ? end.replace(/^[\uDC00-\uDFFF]/, '') : end.slice(line + 1);
}
