import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ACTION_ID_LENGTH } from '../cards/action-id.ts';
import type { Command } from './define.ts';
import { createDirectory, type Directory, type NamedCommand } from './directory.ts';

/** Discord's limits for application commands, the tightest of the platforms (its application command reference). */
const LIMITS = { name: 32, description: 100, options: 25, choices: 25, commands: 100 } as const;
const NAME = /^[a-z][a-z0-9-]*$/;
/** Room for the argument of a button: an id of up to 64 characters. */
const ACTION_ROOM = ACTION_ID_LENGTH - 64;

/** Loads every command in a folder. Throws on a file that is not a command or that no platform would take. */
export async function loadCommands(folder: string): Promise<Directory> {
  const files = (await readdir(folder)).filter((file) => /\.ts$/.test(file)).toSorted();
  const commands: NamedCommand[] = [];
  for (const file of files) {
    const name = basename(file, '.ts');
    const module: { default?: unknown } = await import(pathToFileURL(join(folder, file)).href);
    commands.push({ name, command: validate(name, file, module.default) });
  }
  if (commands.length > LIMITS.commands)
    throw new Error(`More than ${LIMITS.commands} commands in ${folder}`);
  return createDirectory(commands);
}

function validate(name: string, file: string, value: unknown): Command {
  const fail = (problem: string): never => {
    throw new Error(`commands/${file}: ${problem}`);
  };
  if (!NAME.test(name) || name.length > LIMITS.name)
    fail('the file name must be lower case words joined by dashes');
  if (!isCommand(value)) return fail('has no default export made with defineCommand()');
  const describe = (what: string, text: string) => {
    if (text.length < 1 || text.length > LIMITS.description)
      fail(`${what} must have 1 to ${LIMITS.description} characters`);
  };
  describe('the description', value.description);
  const options = Object.entries(value.options);
  if (options.length > LIMITS.options) fail(`more than ${LIMITS.options} options`);
  let last = 0;
  for (const [option, spec] of options) {
    if (!NAME.test(option) || option.length > LIMITS.name)
      fail(`the option name "${option}" is not lower case words`);
    describe(`the description of ${option}`, spec.description);
    const rank = spec.positional ? (spec.required ? 0 : 1) : spec.required ? 2 : 3;
    // Discord refuses a command whose required options do not come first.
    if (spec.required && last > 0) fail(`the required option ${option} must come before the optional ones`);
    if (rank < last) fail(`the positional option ${option} must come before the named ones`);
    last = rank;
    if (spec.kind === 'choice' && spec.choices.length > LIMITS.choices)
      fail(`${option} has too many choices`);
  }
  for (const action of Object.keys(value.actions ?? {})) {
    if (!NAME.test(action)) fail(`the action name "${action}" is not lower case words`);
    if (name.length + action.length + 2 > ACTION_ROOM) fail(`the action name "${action}" is too long`);
  }
  return value;
}

function isCommand(value: unknown): value is Command {
  const command = value as Partial<Command> | null;
  return (
    typeof command === 'object' &&
    command !== null &&
    typeof command.description === 'string' &&
    typeof command.options === 'object' &&
    typeof command.run === 'function' &&
    command.permission !== undefined &&
    command.ack !== undefined
  );
}
