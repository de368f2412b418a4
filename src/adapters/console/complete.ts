import type { Question } from '../../chat/port.ts';
import { firstWord, parseText, type RawValues } from '../../command/argv.ts';
import type { Directory } from '../../command/define.ts';
import { beginningWith } from '../../command/kinds/checked-text.ts';
import type { Option, Options } from '../../command/kinds/kind.ts';
import { namesakes } from '../../command/same-name.ts';

/** The values that are offered for an option. */
export type Offer = (asked: Omit<Question, 'at' | 'person'>) => Promise<readonly string[]>;

/** The completions of a line, as readline expects them: the candidates, and the word that a candidate replaces. */
export async function completeLine(
  line: string,
  directory: Directory,
  buttonNumbers: readonly number[],
  offer: Offer,
): Promise<[string[], string]> {
  const word = line.split(/\s/).at(-1) ?? '';
  const start = line.slice(0, line.length - word.length);
  const [address = '', help] = /^\s*\/?\s*(?:edgegap\s+)?(help[:,]?\s+)?/i.exec(start) ?? [];
  const before = start.slice(address.length);
  const pick = (candidates: readonly string[]): [string[], string] => [beginningWith(word, candidates), word];
  if (word.startsWith('#') && before === '') return pick(buttonNumbers.map((number) => `#${number}`));

  const [name, rest] = firstWord(before);
  if (name === '')
    return pick(directory.all.map((entry) => `${word.startsWith('/') ? '/' : ''}${entry.name} `));

  const typed = rest.split(/\s+/).filter((part) => part !== '');
  const [command] = namesakes(name, directory.all, (each) => each.name);
  const { entries = [], usual } = command ?? {};
  // The parser accepts the word of a subcommand in the first or in the second place.
  const words = entries.flatMap((entry) => entry.word ?? []);
  if (help !== undefined) return pick(typed.length === 0 ? words.map((each) => `${each} `) : []);
  const at = typed.slice(0, 2).findIndex((part) => words.includes(part));
  const entry = at === -1 ? usual : entries.find((each) => each.word === typed[at]);
  const given = typed.filter((_, nth) => nth !== at);
  const options = entry?.options ?? {};
  const previous = given.at(-1);
  const valuesOf = async (option: string, otherWords: readonly string[]) => {
    const about = { command: command?.name ?? name, subcommand: entry?.word, option, typed: word };
    const values = await offer({ ...about, given: valuesIn(otherWords, options) });
    return values.map((value) => `${value} `);
  };
  const named = previous?.startsWith('--') ? previous.slice(2) : undefined;
  if (named !== undefined && options[named] && takesValue(options[named]))
    return pick(await valuesOf(named, given.slice(0, -1)));
  const free = Object.keys(options).filter((key) => options[key]?.positional && !given.includes(`--${key}`));
  const positional = free[positionalCount(given, options)];
  if (word.startsWith('-')) return pick(freeOptions(options, given));
  const values = positional === undefined ? freeOptions(options, given) : await valuesOf(positional, given);
  return pick(at === -1 && typed.length < 2 ? [...words.map((each) => `${each} `), ...values] : values);
}

/** The named options that may still be given. */
function freeOptions(options: Options, typed: readonly string[]): string[] {
  return Object.entries(options)
    .filter(([name, spec]) => !spec.positional && (spec.kind.many || !typed.includes(`--${name}`)))
    .map(([name]) => `--${name} `);
}

/** The values of the other options. Empty as long as the text cannot be parsed. */
function valuesIn(words: readonly string[], options: Options): RawValues {
  try {
    return parseText(words.join(' '), '', options);
  } catch {
    return {};
  }
}

function takesValue(option: Option | undefined): boolean {
  return option?.input.type !== 'boolean';
}

function positionalCount(typed: readonly string[], options: Options): number {
  return typed.filter((word, index) => {
    const previous = typed[index - 1];
    const isValue = previous?.startsWith('--') && takesValue(options[previous.slice(2)]);
    return !word.startsWith('--') && !isValue;
  }).length;
}
