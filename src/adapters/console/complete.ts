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
  const pick = (candidates: readonly string[]): [string[], string] => [
    candidates.filter((candidate) => candidate.startsWith(word)),
    word,
  ];
  if (word.startsWith('#') && before === '') return pick(buttonNumbers.map((number) => `#${number}`));

  const [name, ...typed] = before.split(/\s+/).filter((part) => part !== '');
  if (name === undefined)
    return pick(directory.all.map((entry) => `${word.startsWith('/') ? '/' : ''}${entry.name} `));

  const options = directory.get(name)?.options ?? {};
  const previous = typed.at(-1);
  const named = previous?.startsWith('--') ? options[previous.slice(2)] : undefined;
  if (named && takesValue(named)) return pick(await valuesOf(named));
  const positional = Object.values(options).filter((option) => option.positional)[
    positionalCount(typed, options)
  ];
  if (positional && !word.startsWith('-')) return pick(await valuesOf(positional));
  return pick(freeOptions(options, typed));
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
  return typed.filter((word, index) => {
    const previous = typed[index - 1];
    const isValue = previous?.startsWith('--') && takesValue(options[previous.slice(2)]);
    return !word.startsWith('--') && !isValue;
  }).length;
}
