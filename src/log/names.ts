import {
  ABOUT_WORDS,
  HOLDERS,
  KEY_OWNERS,
  LAST_WORDS,
  NOT_SECRET_BEFORE,
  PASSWORD_WORDS,
  PERHAPS_WORDS,
  SECRET_WORDS,
} from './words.ts';

/**
 * How sure a name is that of a secret: of a `password` anything is masked that is no state, of a `token` no small number
 * either, and the others only where the value looks made up (`perhaps`) or drawn by chance (`hardly`).
 */
export type Sureness = 'password' | 'token' | 'perhaps' | 'hardly' | 'no';

/** Words that are written as one. */
const GLUED = /(?:password|passwd|passphrase|secret|token|apikey|secretkey|accesskey|privatekey|authkey)$/;

/** What does something with it: a spawner, a handler. */
const DOER = /^(?!user$|server$|docker$|owner$|number$).+(?:er|or)$/;

/** The words of `NetworkTokenManager`, `MAX_TOKENS` or `x-api-key`, in lower case and without numbers. */
function wordsOf(name: string): string[] {
  const apart = name.replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ');
  return apart.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** `before`: the word that stands in front of the name, as in `API key`; '' where there is none. */
export function surenessOf(name: string, before: string): Sureness {
  const words = wordsOf(name);
  const at = words.findLastIndex((word) => SECRET_WORDS.has(singular(word)) || GLUED.test(singular(word)));
  if (at !== -1) return surenessOfWord(words, at, before.toLowerCase());
  const last = words.findLastIndex((word) => !PERHAPS_WORDS.has(word));
  const word = words[last] ?? '';
  if (!LAST_WORDS.has(word)) return 'no';
  return surenessOfLast(word, words[last - 1] ?? before.toLowerCase(), last < words.length - 1);
}

function surenessOfWord(words: readonly string[], at: number, spaced: string): Sureness {
  const word = words[at] ?? '';
  const [before, after] = [words[at - 1], words.slice(at + 1)];
  if (before !== undefined && NOT_SECRET_BEFORE.has(before)) return 'no';
  if (after.some((one) => ABOUT_WORDS.has(one) || DOER.test(one))) return 'no';
  if (word !== singular(word) || after.some((one) => PERHAPS_WORDS.has(one))) return 'perhaps';
  if (before === undefined && NOT_SECRET_BEFORE.has(spaced)) return 'hardly';
  return PASSWORD_WORDS.has(word) || /pass(?:word|wd|phrase)$/.test(word) ? 'password' : 'token';
}

function surenessOfLast(word: string, before: string, more: boolean): Sureness {
  if (NOT_SECRET_BEFORE.has(before)) return 'no';
  const owned = KEY_OWNERS.has(before);
  if (word === 'key' || word === 'keys') {
    if (before === '') return 'no';
    return !owned ? 'hardly' : more || word === 'keys' ? 'perhaps' : 'token';
  }
  if (PASSWORD_WORDS.has(word))
    return owned || HOLDERS.has(before) ? 'password' : word === 'pin' ? 'no' : 'perhaps';
  return (owned || HOLDERS.has(before)) && word === 'auth' ? 'perhaps' : 'hardly';
}

/** `tokens` and `passwords` are counted more often than told. */
function singular(word: string): string {
  return word === 'credentials' || word === 'creds' ? word : word.replace(/s$/, '').replace(/pas$/, 'pass');
}
