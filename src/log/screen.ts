import { setImmediate as nextTurn } from 'node:timers/promises';
import { graphemesOf, widthOf } from '../graphemes.ts';

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: these patterns are for control characters.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/**
 * A step in a line. There are four types of steps. A sequence `ESC [ … letter` moves the cursor, deletes text or sets a
 * colour. Another escape sequence sets, for example, the title of a window. The last two types are a single control
 * character and the text between two controls.
 */
const STEP =
  /(?:\u001b\[|\u009b)([0-?]{0,32})[ -/]{0,4}([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]{0,4}([0-~])?|([\u0000-\u001f\u007f-\u009f])|([^\u0000-\u001f\u007f-\u009f]+)/g;
const ASCII = /^[ -~]*$/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: see above.

/**
 * Only the end of a line is shown if the line has control characters and is longer than this. The limit keeps the line
 * from delaying other work.
 */
const LONGEST = 65_536;
/** The maximum number of rows by which the cursor can move up, which is the height of a large terminal window. */
const HEIGHT = 100;
/**
 * The last column to which the cursor can move beyond the end of a line, which is the width of a large terminal window.
 */
const WIDTH = 120;
const TAB = 8;
/** The number of characters that are processed before other work can run. */
const SLICE = 65_536;

/** The content of each column. The second column of a wide character is ''. */
type Cells = string[];

/**
 * Shows the lines of a log as a terminal would, but without colours. Only the last state of a progress bar remains,
 * even if the bar has several lines. When a program clears the terminal for the first time, the text before this point
 * remains. At each later clearing, the text since the previous clearing is removed if it would fit into a window. Other
 * work can run in between.
 */
export async function onScreen(lines: readonly string[]): Promise<string[]> {
  const screen = createScreen();
  let length = 0;
  for (const [index, line] of lines.entries()) {
    if (index > 0) screen.breakLine();
    screen.print(line);
    length += line.length + 1;
    if (length < SLICE) continue;
    await nextTurn();
    length = 0;
  }
  return screen.rows();
}

function createScreen() {
  /** A row is stored as a string. If the cursor returns to the row, the row is split into characters. */
  const rows: (string | Cells)[] = [''];
  let row = 0;
  let column = 0;
  /** The first row after the terminal was last cleared. Undefined before the terminal is cleared for the first time. */
  let page: number | undefined;
  let saved = { row, column };
  /** Whether the row is ASCII text that ends at the cursor, so that more text can be appended. */
  let atEnd = true;

  function moveTo(newRow: number, newColumn: number): void {
    row = Math.max(newRow, page ?? 0, row - HEIGHT, 0);
    while (rows.length <= row) rows.push('');
    atEnd = newColumn === 0 && rows[row] === '';
    column = atEnd ? 0 : Math.max(0, Math.min(newColumn, Math.max(WIDTH, cells().length)));
  }

  function cells(): Cells {
    atEnd = false;
    const shown = rows[row] ?? '';
    if (typeof shown !== 'string') return shown;
    const made: Cells = [];
    put(made, 0, shown);
    rows[row] = made;
    return made;
  }

  function write(text: string): void {
    if (atEnd && ASCII.test(text)) {
      rows[row] += text;
      column += text.length;
    } else column = put(cells(), column, text);
  }

  function clear(): void {
    if (page !== undefined && rows.length - page <= HEIGHT) rows.length = page;
    while (rows.length > 0 && rows.at(-1)?.length === 0) rows.pop();
    page = rows.length;
    rows.push('');
    moveTo(page, 0);
  }

  function erase(from: number, to = Number.POSITIVE_INFINITY): void {
    const line = cells();
    if (to >= line.length) line.length = Math.min(line.length, from);
    else line.fill(' ', from, to);
  }

  /** The sequences `ESC [ … letter` that change what is shown. */
  const controls: Readonly<Record<string, (count: number, first: number, second: number) => void>> = {
    A: (count) => moveTo(row - count, column),
    B: (count) => moveTo(Math.min(row + count, rows.length - 1), column),
    C: (count) => moveTo(row, column + count),
    D: (count) => moveTo(row, column - count),
    E: (count) => moveTo(Math.min(row + count, rows.length - 1), 0),
    F: (count) => moveTo(row - count, 0),
    G: (count) => moveTo(row, count - 1),
    H: (count, _, second) => {
      if (page === undefined) clear();
      moveTo((page ?? 0) + Math.min(count, HEIGHT) - 1, second - 1);
    },
    J: (_, first) => {
      if (first > 1) clear();
      if (first > 0) return;
      erase(column);
      rows.length = row + 1;
    },
    K: (_, first) => (first === 1 ? erase(0, column + 1) : erase(first === 2 ? 0 : column)),
    P: (count) => isShort() && cells().splice(column, count),
    X: (count) => erase(column, column + count),
    '@': (count) =>
      isShort() && cells().splice(column, 0, ...Array<string>(Math.min(count, WIDTH)).fill(' ')),
    s: save,
    u: restore,
  };

  function control(given: string, letter: string): void {
    const [first = 0, second = 0] = given.split(';').map((number) => Number.parseInt(number, 10) || 0);
    controls[letter]?.(Math.min(first || 1, LONGEST), first, second || 1);
  }

  /** Text is shifted only in a row that would fit into a window, because a shift in a long row is slow. */
  function isShort(): boolean {
    return cells().length <= 4 * WIDTH;
  }

  function save(): void {
    saved = { row, column };
  }

  function restore(): void {
    moveTo(saved.row, saved.column);
  }

  function character(one: string): void {
    if (one === '\r') moveTo(row, 0);
    else if (one === '\b') moveTo(row, column - 1);
    else if (one === '\t' && atEnd) write(' '.repeat(TAB - (column % TAB)));
    else if (one === '\t') column += TAB - (column % TAB);
  }

  return {
    breakLine: () => moveTo(row + 1, 0),
    print(line: string): void {
      const text = line.trimEnd();
      if (rows[row] === '' && !CONTROL.test(text)) {
        rows[row] = text;
        return;
      }
      // Except in a very long line, the spaces at the end are kept, because they may overwrite older text.
      const whole = line.length > LONGEST ? text : line;
      const end = whole.slice(-LONGEST);
      // The cut may split a word, and the rest of the word may be half of a secret. The rest of the word is therefore
      // dropped.
      const shown = end.length < whole.length ? end.replace(/^\S*(?=\s)/, '') : whole;
      for (const [, given = '', letter, plain, single, written] of shown.matchAll(STEP)) {
        if (written !== undefined) write(written);
        else if (single !== undefined) character(single);
        else if (letter !== undefined) control(given, letter);
        else if (plain === '7') save();
        else if (plain === '8') restore();
        else if (plain === 'c') clear();
      }
    },
    rows: () =>
      rows.map((shown) =>
        (typeof shown === 'string' ? shown : Array.from(shown, (cell) => cell ?? ' ').join('')).trimEnd(),
      ),
  };
}

/** Writes `text` into the cells from `column` on. Returns the column after the text. */
function put(cells: Cells, column: number, text: string): number {
  let at = column;
  if (ASCII.test(text)) {
    part(cells, at);
    part(cells, at + text.length);
    for (const one of text) cells[at++] = one;
    return at;
  }
  for (const { segment } of graphemesOf(text)) {
    const width = widthOf(segment);
    if (width === 0) {
      // A character without width, such as an accent, belongs to the character before it.
      if (at > 0) cells[at - 1] = (cells[at - 1] ?? ' ') + segment;
      continue;
    }
    part(cells, at);
    part(cells, at + width);
    cells[at] = segment;
    if (width === 2) cells[at + 1] = '';
    at += width;
  }
  return at;
}

/** Replaces a wide character with spaces if `column` is its second column. */
function part(cells: Cells, column: number): void {
  if (cells[column] !== '') return;
  cells[column - 1] = ' ';
  cells[column] = ' ';
}
