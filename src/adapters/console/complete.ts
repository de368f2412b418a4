import type { Directory } from '../../command/define.ts';
import type { OptionSpec } from '../../command/options.ts';

/** What can follow in a line, for readline: the candidates, and the word they would replace. */
export function completeLine(
  line: string,
  directory: Directory,
  buttonNumbers: readonly number[],
): [string[], string] {
  const word = line.split(/\s/).at(-1) ?? '';
  const before = line.slice(0, line.length - word.length).replace(/^\s*\/?\s*(?:edgegap\s+)?/, '');
  if (word.startsWith('#') && before === '')
    return pick(
      buttonNumbers.map((number) => `#${number}`),
      word,
    );

  const words = before.split(/\s+/).filter((part) => part !== '');
  const [name, ...typed] = words;
  if (name === undefined) {
    const slash = word.startsWith('/') ? '/' : '';
    return pick(
      directory.all.map((entry) => `${slash}${entry.name} `),
      word,
    );
  }

  const options = directory.get(name)?.options ?? {};
  const previous = typed.at(-1);
  const named = previous?.startsWith('--') ? options[previous.slice(2)] : undefined;
  if (named && named.kind !== 'boolean') return pick(valuesOf(named), word);
  if (word.startsWith('-')) return pick(freeOptions(options, typed), word);

  const position = positionalCount(typed, options);
  const positional = Object.values(options).filter((spec) => spec.positional)[position];
  const values = positional ? valuesOf(positional) : [];
  return pick(values.length > 0 || positional ? values : freeOptions(options, typed), word);
}

/** The named options that may still be given. */
function freeOptions(options: Readonly<Record<string, OptionSpec>>, typed: readonly string[]): string[] {
  return Object.entries(options)
    .filter(([name, spec]) => !spec.positional && (spec.kind === 'list' || !typed.includes(`--${name}`)))
    .map(([name]) => `--${name} `);
}

function valuesOf(spec: OptionSpec): string[] {
  if (spec.kind === 'choice') return spec.choices.map((choice) => `${choice} `);
  if (spec.kind === 'deployment') return ['@last '];
  return [];
}

function positionalCount(typed: readonly string[], options: Readonly<Record<string, OptionSpec>>): number {
  let count = 0;
  for (const [index, word] of typed.entries()) {
    const previous = typed[index - 1];
    const value = previous?.startsWith('--') && options[previous.slice(2)]?.kind !== 'boolean';
    if (!word.startsWith('--') && !value) count += 1;
  }
  return count;
}

function pick(candidates: readonly string[], word: string): [string[], string] {
  return [candidates.filter((candidate) => candidate.startsWith(word)), word];
}
