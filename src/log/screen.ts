import { stripVTControlCharacters } from 'node:util';

/** What moves the cursor within a line, or takes away what stands there, and the text between. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
const STEP = /[\r\b]|\u001b\[(\d{0,3})([GK])|[^\r\b\u001b]+|\u001b/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
const MOVES = /[\r\b]|\u001b\[\d{0,3}[GK]/;
/** Everything a terminal obeys but what `STEP` does. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
const OTHERS = /\u001b\[(?!\d{0,3}[GK])[0-?]{0,32}[ -/]{0,4}[@-~]/g;

/** Of a longer line that moves the cursor only the end is looked at, as nobody else has their turn meanwhile. */
const LONGEST = 65_536;

/** One line of a log as a terminal would show it: a progress bar in its last state, and without colours. */
export function onScreen(line: string): string {
  if (!MOVES.test(line.trimEnd())) return stripVTControlCharacters(line).trimEnd();
  const cells: string[] = [];
  let at = 0;
  const end = line.slice(-LONGEST);
  // A word that was cut may be half a secret.
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
