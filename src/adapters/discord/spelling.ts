import type { Typed } from '../../chat/card.ts';
import { isCommandLine } from '../../chat/typed.ts';
import { optionIn, parseText, type RawValues, type Token, tokenise } from '../../command/argv.ts';
import type { Directory, Entry } from '../../command/define.ts';
import type { Option, RawValue } from '../../command/kinds/kind.ts';
import { InputError } from '../../errors.ts';
import type { CommandIds } from './command-ids.ts';

/**
 * Writes a command in the form in which a person enters the command on Discord. A command without options becomes a
 * link, which opens the command in the text box. A command with options becomes a line to copy, such as `/deploy
 * application: kart-racing`. A usage line such as `deploy <application>` becomes a link, because Discord itself shows
 * the options.
 */
export function spellingFor(
  guild: string,
  { directory, ids }: { readonly directory: Directory; readonly ids: Pick<CommandIds, 'of'> },
) {
  const entries = directory.all.flatMap((command) => command.entries);

  return (typed: string): Typed => {
    if (!isCommandLine(typed)) return { typed: inWords(optionsOf(tokenise(typed))) };
    const named = entryOf(typed);
    if (!named) return { typed: `/${typed}` };
    const [entry, shown] = named;
    const rest = typed.slice(shown.length).trim();
    const given = rest === '' || /[<[]/.test(rest) ? {} : parsed(rest, entry);
    if (given === undefined) return { typed: `/${typed}` };
    if (Object.keys(given).length > 0) return { typed: `/${entry.name} ${inWords(given)}` };
    const id = ids.of(guild, entry.name.split(' ')[0] ?? '');
    return id === undefined ? { typed: `/${entry.name}` } : { typed: entry.name, id };
  };

  /**
   * Returns the command or subcommand with which the line begins, and the name as written in the line. The line may say
   * `tags` instead of `tags list`. Discord accepts only `tags list`, so the two names can differ.
   */
  function entryOf(typed: string): readonly [entry: Entry, shown: string] | undefined {
    const begins = ({ name }: { readonly name: string }) => typed === name || typed.startsWith(`${name} `);
    const named = entries.find(begins);
    if (named) return [named, named.name];
    const group = directory.all.find(begins);
    return group?.usual && [group.usual, group.name];
  }
}

/** The options of the line, by name. Undefined if the bot's parser cannot read the line. */
function parsed(rest: string, { name, options }: Entry): RawValues | undefined {
  try {
    const values = Object.entries(parseText(rest, name, options));
    return Object.fromEntries(values.map(([option, value]) => [option, unmarked(value, options[option])]));
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/**
 * Removes the mark of a value, such as the `@` of `@qa`. The mark is not needed on Discord, because the person chooses
 * the option by name.
 */
function unmarked(value: RawValue, option: Option | undefined): RawValue {
  const mark = option?.kind.mark;
  return typeof value === 'string' && mark && value.startsWith(mark) ? value.slice(mark.length) : value;
}

/** Reads options such as `--near Montreal` of an unknown command. An option without a value counts as switched on. */
function optionsOf(tokens: readonly Token[]): RawValues {
  const values: Record<string, string | boolean> = {};
  let last: string | undefined;
  for (const token of tokens) {
    const [, name, inline] = optionIn(token) ?? [];
    if (name !== undefined) {
      last = name;
      values[name] = inline ?? true;
    } else if (last !== undefined)
      values[last] = values[last] === true ? token.text : `${values[last]} ${token.text}`;
  }
  return values;
}

function inWords(values: RawValues): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${value === true ? 'True' : [value].flat().join(' ')}`)
    .join(' ');
}
