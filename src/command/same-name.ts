/*
 * Decides whether two names mean the same thing. People cannot always type the exact name: they may use a phone, or a
 * keyboard without the letters of the name. Some systems also write an accent as a separate character, and people paste
 * names from such systems.
 */

/**
 * Letters that Unicode does not split into a letter and an accent, such as letters with a stroke, and ligatures. Each
 * letter is followed by the letters that people type if their keyboard does not have this letter.
 */
const LETTERS = letters('łl øo đd ðd ɖd ɗd ħh ŧt ŋn ıi ɨi əe ɛe ɔo ɓb ƙk ĸk ƴy ʉu ƶz ʒz æae œoe ßss þth');
/** Letters that people may write as two letters, as in Zuerich, Tromsoe and Aarhus. */
const DIGRAPHS = letters('äae öoe üue øoe åaa');

function letters(pairs: string): ReadonlyMap<string, string> {
  return new Map(pairs.split(' ').map((pair) => [pair.charAt(0), pair.slice(1)]));
}

const INVISIBLE = /\p{Cf}|\ufe0e|\ufe0f/gu;
const QUOTES = /[\p{Pi}\p{Pf}'"`´‚„′″ʹʺʻʼʽˈ＇＂〝〞〟「」『』]/gu;
const DASHES = /[\p{Pd}\u2212]/gu;

/** The text without quotation marks and invisible characters. */
export function unquoted(text: string): string {
  return text.replace(INVISIBLE, '').replace(QUOTES, '').trim();
}

/**
 * The text with straight quotation marks, plain dashes and single blanks instead of the other variants that keyboards
 * produce.
 */
function straightened(text: string): string {
  const straight = text.replace(INVISIBLE, '').replace(QUOTES, "'").normalize('NFKC');
  return straight.replace(DASHES, '-').replace(/\s+/gu, ' ').trim();
}

/**
 * A name in lower case, without accents, apostrophes, blanks, dashes and dots. A dash or dot between two digits stays,
 * because `v1.2` and `v12` are different versions.
 */
export function nameKey(text: string, digraphs?: ReadonlyMap<string, string>): string {
  return unquoted(text)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[äöüøå]/gu, (letter) => digraphs?.get(letter) ?? letter)
    .normalize('NFKD')
    .replace(/([\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}])\p{M}+/gu, '$1')
    .replace(/[^\0-\x7f]/gu, (letter) => LETTERS.get(letter) ?? letter)
    .replace(/[\s\p{Pd}\u2212.]+/gu, (gap) => (gap.includes('.') ? '.' : '-'))
    .replace(/(?<!\d)[.-]|[.-](?!\d)/g, '');
}

const isAscii = (text: string) => /^[\0-\x7f]*$/.test(text);

/**
 * The spellings of a text that `bestMatches` compares with typed words. `spaced` has blanks between the words, and
 * `joined` has no blanks. All spellings are in lower case and without accents.
 */
export interface SearchKey {
  readonly spaced: string;
  readonly joined: string;
  /** Holds `spaced`, `joined`, and the joined words in other spellings, such as `zuerich` for Zürich. */
  readonly all: string;
}

export function searchKey(text: string): SearchKey {
  const plain = isAscii(text);
  const keyOf = (word: string) => (plain ? word.toLowerCase().replace(/['"`]|\.(?!\d)/g, '') : nameKey(word));
  const words = text.split(/[\s\p{Pd}_,;·]+/u).map(keyOf);
  const spaced = words.filter((word) => word !== '').join(' ');
  const joined = words.join('');
  return { spaced, joined, all: `${spaced}\n${joined}\n${plain ? '' : nameKey(text, DIGRAPHS)}` };
}

const LEVELS: readonly ((text: string) => readonly string[])[] = [
  (text) => [text],
  (text) => [straightened(text)],
  (text) => [nameKey(text), nameKey(text, DIGRAPHS)].filter((key) => key !== ''),
];

/**
 * Returns the items of `known` whose names match `given`. If there are exact matches, returns only these items.
 * Otherwise, differences in quotation marks, dashes and blanks are ignored. If still no name matches, differences in
 * case, accents and special letters are ignored, too. If several items are returned, the person has to choose.
 */
export function namesakes<Item>(given: string, known: readonly Item[], nameOf: (item: Item) => string) {
  for (const spellings of LEVELS) {
    const wanted = spellings(given);
    const found = known.filter((item) => spellings(nameOf(item)).some((one) => wanted.includes(one)));
    if (found.length > 0) return found;
  }
  return [];
}

export function isSameName(one: string, other: string): boolean {
  return namesakes(one, [other], (name) => name).length > 0;
}
