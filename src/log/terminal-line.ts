import { stripVTControlCharacters } from 'node:util';

/**
 * A step in a line: either a control that moves the cursor within the line or deletes text there, or the text between
 * two such controls.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern is for control characters.
const STEP = /[\r\b]|\u001b\[(\d{0,3})([GK])|[^\r\b\u001b]+|\u001b/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
const MOVES = /[\r\b]|\u001b\[\d{0,3}[GK]/;
/** All controls of a terminal except those of `STEP`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
const OTHERS = /\u001b\[(?!\d{0,3}[GK])[0-?]{0,32}[ -/]{0,4}[@-~]/g;

/**
 * If a line with such controls is longer than this, only its end is shown, because other work has to wait while the
 * line is processed.
 */
const LONGEST = 65_536;

/** A line of a log as a terminal would show it: a progress bar in its last state, and no colours. */
export function onScreen(line: string): string {
  if (!MOVES.test(line.trimEnd())) return stripVTControlCharacters(line).trimEnd();
  const cells: string[] = [];
  let at = 0;
  const end = line.slice(-LONGEST);
  // The cut may go through a word, which may then be half a secret. The word is therefore dropped.
  const shown = end.length < line.length ? end.replace(/^\S*(?=\s)/, '') : line;
  for (const [step, count = '', command] of shown.replace(OTHERS, '').matchAll(STEP)) {
    if (step === '\r') at = 0;
    else if (step === '\b') at = Math.max(0, at - 1);
    else if (command === 'G') at = Math.max(0, Number(count) - 1);
    else if (command === 'K') cells.length = /^0?$/.test(count) ? Math.min(cells.length, at) : 0;
    else for (const character of stripVTControlCharacters(step)) cells[at++] = character;
  }
  return Array.from(cells, (cell) => cell ?? ' ')
    .join('')
    .trimEnd();
}
