import type { Choice } from '../../chat/card.ts';
import type { SuggestionRequest } from '../../chat/port.ts';
import { asTyped, firstWord, parseTokens, type RawValues, type Token, tokenise } from '../../command/argv.ts';
import type { Directory } from '../../command/define.ts';
import type { Option, Options } from '../../command/kinds/kind.ts';
import { namesakes } from '../../command/same-name.ts';

/** The values that are offered for an option. */
export type Offer = (asked: Omit<SuggestionRequest, 'at' | 'person'>) => Promise<readonly Choice[]>;

/** The completions of a line, as readline expects them: the candidates, and the word that a candidate replaces. */
export async function completeLine(
  line: string,
  directory: Directory,
  buttonNumbers: readonly number[],
  offer: Offer,
): Promise<[string[], string]> {
  const word = lastWord(line);
  const start = line.slice(0, line.length - word.length);
  const [address = '', help] = /^\s*\/?\s*(?:edgegap\s+)?(help[:,]?\s+)?/i.exec(start) ?? [];
  const before = start.slice(address.length);
  const isBegun = (candidate: string) => candidate.toLowerCase().startsWith(word.toLowerCase());
  const pick = (candidates: readonly string[]): [string[], string] => [candidates.filter(isBegun), word];
  if (word.startsWith('#') && before === '') return pick(buttonNumbers.map((number) => `#${number}`));

  const [name, rest] = firstWord(before);
  if (name === '')
    return pick(directory.all.map((entry) => `${word.startsWith('/') ? '/' : ''}${entry.name} `));

  const tokens = tokenise(rest);
  const typed = tokens.map(({ text }) => text);
  const [command] = namesakes(name, directory.all, (each) => each.name);
  const { entries = [], usual } = command ?? {};
  // The parser accepts a subcommand's name as the first or the second word.
  const words = entries.flatMap((entry) => entry.word ?? []);
  if (help !== undefined) return pick(typed.length === 0 ? words.map((each) => `${each} `) : []);
  const at = typed.slice(0, 2).findIndex((part) => words.includes(part));
  const entry = at === -1 ? usual : entries.find((each) => each.word === typed[at]);
  const given = typed.filter((_, nth) => nth !== at);
  const givenTokens = tokens.filter((_, nth) => nth !== at);
  const options = entry?.options ?? {};
  const previous = given.at(-1);
  const valuesOf = async (option: string, others: readonly Token[]) => {
    const about = { command: command?.name ?? name, subcommand: entry?.word, option };
    return await offer({ ...about, typed: word.replace(/^"/, ''), given: valuesIn(others, options) });
  };
  const named = previous?.startsWith('--') ? previous.slice(2) : undefined;
  if (named !== undefined && options[named] && takesValue(options[named]))
    return [candidatesOf(await valuesOf(named, givenTokens.slice(0, -1)), word), word];
  const free = Object.keys(options).filter((key) => options[key]?.positional && !given.includes(`--${key}`));
  const positional = free[positionalCount(given, options)];
  if (word.startsWith('-')) return pick(freeOptions(options, given));
  const subcommands = at === -1 && typed.length < 2 ? words : [];
  if (positional === undefined)
    return pick([...subcommands.map((each) => `${each} `), ...freeOptions(options, given)]);
  const choices = subcommands.filter(isBegun).map((each) => ({ label: each, value: each }));
  return [candidatesOf([...choices, ...(await valuesOf(positional, givenTokens))], word), word];
}

/** The word that is being typed, with its quotation mark if a quotation is open. */
function lastWord(line: string): string {
  const isOpen = line.split('"').length % 2 === 0;
  return isOpen ? line.slice(line.lastIndexOf('"')) : (line.split(/\s/).at(-1) ?? '');
}

/**
 * The choices as readline expects them. Readline replaces the typed word with the common beginning of all candidates.
 * If the word is already this beginning, readline lists the candidates. Only then do descriptions follow the values. If
 * some values begin with the typed word, the other values are left out.
 */
function candidatesOf(all: readonly Choice[], word: string): string[] {
  const begun = all.filter(({ value }) => `${asTyped(value)} `.toLowerCase().startsWith(word.toLowerCase()));
  const choices = begun.length > 0 ? begun : all;
  const values = choices.map(({ value }) => `${asTyped(value)} `);
  const [first = ''] = values;
  const length = first.split('').findIndex((_, index) => values.some((one) => one[index] !== first[index]));
  const common = length < 0 ? first : first.slice(0, length);
  const isLonger = common.length > word.length && common.toLowerCase().includes(word.toLowerCase());
  if (values.length < 2 || isLonger) return values;
  const described = choices.map(({ label, detail, value }, index) => {
    const words = [label === value ? '' : label, detail ? `(${detail})` : ''].filter((part) => part !== '');
    return `${values[index]}${words.join(' ')}`;
  });
  // If some value does not begin with the typed word, the word itself is added to the candidates. Otherwise readline
  // would replace the word with a shorter common beginning.
  return values.every((value) => value.startsWith(word)) ? described : [word, ...described];
}

/** The named options that may still be given. */
function freeOptions(options: Options, typed: readonly string[]): string[] {
  return Object.entries(options)
    .filter(([, { positional, kind }]) => !positional && !kind.onlyInForm)
    .filter(([name, spec]) => spec.kind.many || !typed.includes(`--${name}`))
    .map(([name]) => `--${name} `);
}

/** The values of the options that were typed so far. Empty if the parser cannot read the text yet. */
function valuesIn(tokens: readonly Token[], options: Options): RawValues {
  try {
    return parseTokens(tokens, '', options);
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
