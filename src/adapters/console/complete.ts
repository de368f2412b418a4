import type { Directory } from '../../command/define.ts';
import type { Option, Options } from '../../command/kinds/kind.ts';

/** What can follow in a line, for readline: the candidates, and the word they would replace. */
export async function completeLine(
  line: string,
  directory: Directory,
  buttonNumbers: readonly number[],
): Promise<[string[], string]> {
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
  if (named && takesValue(named)) return pick(await valuesOf(named), word);
  if (word.startsWith('-')) return pick(freeOptions(options, typed), word);

  const position = positionalCount(typed, options);
  const positional = Object.values(options).filter((spec) => spec.positional)[position];
  const values = positional ? await valuesOf(positional) : [];
  return pick(values.length > 0 || positional ? values : freeOptions(options, typed), word);
}

/** The named options that may still be given. */
function freeOptions(options: Options, typed: readonly string[]): string[] {
  return Object.entries(options)
    .filter(([name, spec]) => !spec.positional && (spec.kind.many || !typed.includes(`--${name}`)))
    .map(([name]) => `--${name} `);
}

async function valuesOf(option: Option): Promise<string[]> {
  return ((await option.kind.suggest?.(option)) ?? []).map((value) => `${value} `);
}

function takesValue(option: Option | undefined): boolean {
  return option?.input.type !== 'boolean';
}

function positionalCount(typed: readonly string[], options: Options): number {
  let count = 0;
  for (const [index, word] of typed.entries()) {
    const previous = typed[index - 1];
    const value = previous?.startsWith('--') && takesValue(options[previous.slice(2)]);
    if (!word.startsWith('--') && !value) count += 1;
  }
  return count;
}

function pick(candidates: readonly string[], word: string): [string[], string] {
  return [candidates.filter((candidate) => candidate.startsWith(word)), word];
}
