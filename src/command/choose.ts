import type { Arguments } from '../chat/port.ts';
import { InputError } from '../errors.ts';
import { nearest, parseTokens, quoted, type RawValues, type Token, tokenise, words } from './argv.ts';
import type { Command, Entry } from './define.ts';
import { namesakes } from './same-name.ts';
import { stale, usage } from './usage.ts';

/** What is asked for with a command, and the values given with it. `prompt` is typed before a command. Throws InputError. */
export function choose(
  command: Command,
  args: Arguments,
  prompt: string,
): { readonly entry: Entry; readonly raw: RawValues } {
  if (args.kind === 'values') return { entry: registered(command, args.subcommand), raw: args.values };
  const tokens = tokenise(args.text);
  const parse = (entry: Entry, rest: readonly Token[]) => ({
    entry,
    raw: parseTokens(rest, prompt + entry.name, entry.options),
  });
  const { usual, entries } = command;
  if (usual && usual.word === undefined) return parse(usual, tokens);
  // The word of a subcommand stands first, or second as in `tags 93924761ccde add qa`.
  const given = words(tokens, 2);
  for (const token of given) {
    const [entry] = namesakes(token.text, entries, ({ word = '' }) => word);
    if (entry)
      return parse(
        entry,
        tokens.filter((one) => one !== token),
      );
  }
  if (tokens.length === 0 && !canBeBare(usual)) throw missing(command, prompt);
  try {
    if (usual) return parse(usual, tokens);
  } catch (error) {
    if (!(error instanceof InputError) || !/^(argument-extra|given-twice)$/.test(error.code)) throw error;
  }
  throw unknown(
    command,
    prompt,
    given.map(({ text }) => text),
  );
}

function registered({ name, entries }: Command, subcommand: string | undefined): Entry {
  const entry = entries.find(({ word }) => word === subcommand);
  if (entry) return entry;
  throw stale(
    subcommand === undefined
      ? `${name} has subcommands now: ${entries.map(({ word }) => word).join(', ')}.`
      : `${name} no longer has the subcommand ${quoted(subcommand)}.`,
  );
}

function canBeBare(usual: Entry | undefined): boolean {
  return usual !== undefined && !Object.values(usual.options).some(({ required }) => required);
}

function missing({ name, entries }: Command, prompt: string): InputError {
  const lines = entries.map((entry) => usage(prompt + entry.name, entry.options));
  return new InputError('subcommand-missing', `${prompt}${name} needs to be told what to do.`, {
    hint: `Use: ${lines.join(', or ')}`,
  });
}

function unknown({ name, entries, usual }: Command, prompt: string, given: readonly string[]): InputError {
  const known = entries.flatMap(({ word = [] }) => word);
  // Where a subcommand is usual, the word before may be what it is about.
  const slip = given.find((text) => nearest(text, known)) ?? given.at(usual ? -1 : 0) ?? '';
  const near = nearest(slip, known);
  return new InputError('subcommand-unknown', `${prompt}${name} has no subcommand ${quoted(slip)}.`, {
    hint: near ? `Did you mean ${prompt}${name} ${near}?` : `There are: ${known.join(', ')}.`,
  });
}
