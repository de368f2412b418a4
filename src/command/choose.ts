import type { Arguments } from '../chat/port.ts';
import { InputError } from '../errors.ts';
import { nearest, optionIn, parseTokens, quoted, type Token, tokenise, words } from './argv.ts';
import type { Command, Entry } from './define.ts';
import { namesakes } from './same-name.ts';
import { stale, usage } from './usage.ts';

/**
 * Finds the entry that the person wants: the command itself or a subcommand. Also finds the given values. Throws
 * InputError.
 */
export function choose(command: Command, args: Arguments) {
  const { name, usual, entries } = command;
  if (args.kind === 'values') {
    const entry = entries.find(({ word }) => word === args.subcommand);
    if (!entry) throw stale(`${name} is registered here in an outdated form.`);
    return { entry, raw: args.values };
  }
  const tokens = tokenise(args.text);
  const parse = (entry: Entry, rest: readonly Token[]) => {
    const hintAt = (option: Token) => meantBy(option, rest, command);
    return { entry, raw: parseTokens(rest, entry.name, entry.options, hintAt) };
  };
  if (usual && usual.word === undefined) return parse(usual, tokens);
  // The name of the subcommand is the first or the second word, as in `tags 93924761ccde add qa`.
  const given = words(tokens, 2);
  for (const token of given) {
    const [entry] = namesakes(token.text, entries, ({ word = '' }) => word);
    const rest = tokens.filter((one) => one !== token);
    if (entry) return parse(entry, rest);
  }
  const isIncomplete = tokens.length === 0 && Object.values(usual?.options ?? {}).some((one) => one.required);
  try {
    if (usual && !isIncomplete) return parse(usual, tokens);
  } catch (error) {
    if (!(error instanceof InputError) || !/^(argument-extra|given-twice)$/.test(error.code)) throw error;
  }
  throw unknown(command, given);
}

/** If the corrected line has more characters, the hint names `help` instead of the line. */
const LONGEST_LINE = 100;

/**
 * A hint with the line that the person should have typed. The hint exists in two cases: the option belongs to other
 * subcommands, or the person typed a subcommand as an option, as in `tags @last --add qa`.
 */
function meantBy(option: Token, typed: readonly Token[], { name, entries }: Command) {
  const [, given = '', value = []] = optionIn(option) ?? [];
  const having = entries.filter(({ options }) => Object.hasOwn(options, given.toLowerCase()));
  const uses = having.map((entry) => `\`${usage(entry.name, entry.options)}\``);
  if (uses.length > 0) return `Use: ${uses.join(' or ')}`;
  const known = entries.flatMap((entry) => entry.word ?? []);
  const word = nearest(given, known);
  const rest = typed.flatMap((one) => (one === option ? value : one.text));
  const shown = rest.map((text) => (/\s/.test(text) ? `"${text}"` : text));
  const line = [name, word, ...shown].join(' ');
  return word && `Type \`${line.length > LONGEST_LINE ? `help ${name}` : line}\`.`;
}

/** `allowed` contains the commands that the person may use. */
export function unknownCommand(given: string, allowed: readonly Command[]): InputError {
  const known = allowed.map(({ name }) => name);
  const near = nearest(given, known);
  return new InputError('command-unknown', `There is no command ${quoted(given)}.`, {
    hint: near ? `Did you mean \`${near}\`? \`help\` shows all commands.` : `There are: ${known.join(', ')}.`,
  });
}

/** Whether the person asks for help about the command, as in `deploy --help` or `tags help`. */
export function asksForHelp({ usual }: Command, args: Arguments): boolean {
  if (args.kind === 'values') return false;
  const typed = args.text.trim();
  const isGroup = usual === undefined || usual.word !== undefined;
  return /^(?:\?|\p{Pd}{1,2}h(?:elp)?)$/iu.test(typed) || (isGroup && /^help$/i.test(typed));
}

function unknown({ name, entries, usual }: Command, given: readonly Token[]): InputError {
  const known = entries.flatMap(({ word = [] }) => word);
  const there = `There are: ${known.join(', ')}. \`help ${name}\` shows how to use each subcommand.`;
  const meant = given.find(({ text }) => nearest(text, known));
  // If the command has a default subcommand, the first word may be a deployment such as `@last` or 93924761ccde.
  const likely = usual ? (given.findLast(({ text }) => /^[\p{L}-]+$/u.test(text)) ?? given.at(-1)) : given[0];
  const slip = (meant ?? likely)?.text;
  if (slip === undefined)
    return new InputError('subcommand-missing', `${name} needs a subcommand.`, { hint: there });
  const near = nearest(slip, known);
  return new InputError('subcommand-unknown', `${name} has no subcommand ${quoted(slip)}.`, {
    hint: near ? `Did you mean \`${name} ${near}\`?` : there,
  });
}
