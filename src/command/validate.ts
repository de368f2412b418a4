import { ACTION_ID_LENGTH } from '../chat/action-id.ts';
import type { Command } from './define.ts';
import type { OptionKind, OptionSpec } from './options.ts';
import { permissions } from './permissions.ts';

/** Discord's limits for application commands, the tightest of the platforms (its application command reference). */
export const LIMITS = {
  name: 32,
  description: 100,
  options: 25,
  choices: 25,
  choice: 100,
  text: 6000,
  commands: 100,
} as const;
const NAME = /^[a-z][a-z0-9-]*$/;
/** Room for the argument of a button: an id of up to 64 characters. */
const ACTION_ROOM = ACTION_ID_LENGTH - 64;

const KINDS: Readonly<Record<OptionKind, true>> = {
  string: true,
  integer: true,
  boolean: true,
  choice: true,
  list: true,
  application: true,
  version: true,
  deployment: true,
  location: true,
  tag: true,
};

type Fail = (problem: string) => never;

/** `value`, the default export of a file, as the command it is. Throws with the file's name where it is none. */
export function validateCommand(name: string, file: string, value: unknown): Command {
  const fail: Fail = (problem) => {
    throw new Error(`commands/${file}: ${problem}`);
  };
  if (!NAME.test(name) || name.length > LIMITS.name)
    fail(`the file name must be lower case words joined by dashes, at most ${LIMITS.name} characters`);
  if (!isCommand(value)) return fail('has no default export made with defineCommand()');
  checkDescription('the description', value.description, fail);
  const { permission } = value;
  checkPermission('the permission', typeof permission === 'object' ? permission.least : permission, fail);
  if (typeof permission === 'object' && typeof permission.of !== 'function')
    fail('the permission has no function "of"');
  if (typeof value.ack !== 'function' && value.ack !== 'public' && value.ack !== 'private')
    fail('ack must be public, private, or a function of the options');
  checkOptions(value, fail);
  checkActions(name, value, fail);
  return value;
}

function checkOptions(command: Command, fail: Fail): void {
  const options = Object.entries(command.options);
  if (options.length > LIMITS.options) fail(`has more than ${LIMITS.options} options`);
  let last = 0;
  for (const [option, spec] of options) {
    if (!NAME.test(option) || option.length > LIMITS.name)
      fail(`the option name "${option}" is not lower case words`);
    checkDescription(`the description of ${option}`, spec.description, fail);
    const rank = spec.positional ? (spec.required ? 0 : 1) : spec.required ? 2 : 3;
    // Discord refuses a command whose required options do not come first.
    if (spec.required && last > 0) fail(`the required option ${option} must come before the optional ones`);
    if (rank < last) fail(`the positional option ${option} must come before the named ones`);
    last = rank;
    checkKind(option, spec, fail);
  }
}

function checkKind(option: string, spec: OptionSpec, fail: Fail): void {
  if (!Object.hasOwn(KINDS, spec.kind)) fail(`the kind of ${option} is unknown: ${spec.kind}`);
  if (spec.kind === 'integer' && !(spec.min <= spec.max))
    fail(`${option} has no number between its min and its max`);
  if (spec.kind === 'string' && (spec.maxLength ?? 1) > LIMITS.text)
    fail(`the maxLength of ${option} is over ${LIMITS.text}`);
  if (spec.kind !== 'choice') return;
  const { choices } = spec;
  if (choices.length < 1 || choices.length > LIMITS.choices)
    fail(`${option} must have 1 to ${LIMITS.choices} choices`);
  // Typed, they are compared without regard to case.
  if (new Set(choices.map((choice) => choice.toLowerCase())).size < choices.length)
    fail(`${option} has a choice twice`);
  if (choices.some((choice) => choice.length < 1 || choice.length > LIMITS.choice))
    fail(`a choice of ${option} must have 1 to ${LIMITS.choice} characters`);
}

function checkActions(name: string, command: Command, fail: Fail): void {
  const forms = Object.entries(command.forms ?? {});
  for (const [id, action] of [...Object.entries(command.actions ?? {}), ...forms]) {
    if (!NAME.test(id)) fail(`the action name "${id}" is not lower case words`);
    if (name.length + id.length + 2 > ACTION_ROOM) fail(`the action name "${id}" is too long`);
    checkPermission(`the permission of ${id}`, action.permission, fail);
    if (!['public', 'private', 'update'].includes(action.ack))
      fail(`the ack of ${id} must be public, private or update`);
    if (typeof action.run !== 'function') fail(`the action ${id} has no function "run"`);
  }
}

function checkDescription(what: string, text: unknown, fail: Fail): void {
  if (typeof text !== 'string' || text.length < 1 || text.length > LIMITS.description)
    fail(`${what} must have 1 to ${LIMITS.description} characters`);
}

/** One that is not in the table would be nobody's business, and everybody's. */
function checkPermission(what: string, permission: unknown, fail: Fail): void {
  if (typeof permission !== 'string' || !Object.hasOwn(permissions, permission))
    fail(`${what} is not one of ${Object.keys(permissions).join(', ')}`);
}

function isCommand(value: unknown): value is Command {
  const command = value as Partial<Command> | null;
  return (
    typeof command === 'object' &&
    command !== null &&
    typeof command.description === 'string' &&
    typeof command.options === 'object' &&
    command.options !== null &&
    typeof command.run === 'function' &&
    command.permission !== undefined &&
    command.permission !== null &&
    command.ack !== undefined
  );
}
