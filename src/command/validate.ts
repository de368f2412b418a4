import { ACTION_ID_LENGTH } from '../chat/action-id.ts';
import { CALL } from './call.ts';
import type { CommandSpec, GroupSpec } from './define.ts';
import type { FormLayout } from './forms/form-layout.ts';
import { FORM } from './forms/ref.ts';
import type { Kinds, OptionSpecs } from './options.ts';
import { permissions } from './permissions.ts';

/**
 * Discord's limits for application commands, from Discord's reference. The other platforms have no tighter limits,
 * except for `onCard`. Slack allows an app ten shortcuts (docs.slack.dev, app manifest reference). Five of them are for
 * `onCard`, and five are for the shortcuts of commands.
 */
export const LIMITS = {
  name: 32,
  description: 100,
  options: 25,
  commands: 100,
  onCard: 5,
  group: 5,
} as const;
const NAME = /^[a-z][a-z0-9-]*$/;
const isName = (text: string) => NAME.test(text) && text.length <= LIMITS.name;
/** Slack's limit for the name of a shortcut (docs.slack.dev, app manifest reference). */
const ENTRY_NAME = 24;
/**
 * The number of characters in a button's id for the command and the action. The rest of the id is the argument of the
 * button, with up to 64 characters.
 */
const ACTION_ROOM = ACTION_ID_LENGTH - 64;

type Fail = (problem: string) => never;

/**
 * Checks `value`, which is the default export of `file`. Returns `value` if it is a valid command. If not, throws an
 * error that contains the name of the file.
 */
export function validateCommand(name: string, file: string, value: unknown, kinds: Kinds) {
  const fail: Fail = (problem) => {
    throw new Error(`commands/${file}: ${problem}`);
  };
  if (!isName(name))
    fail(`the file name must be lower case words joined by dashes, at most ${LIMITS.name} characters`);
  if (isGroup(value)) checkGroup(value, kinds, fail);
  else if (isCommand(value)) checkCommand(value, kinds, fail);
  else return fail('has no default export made with defineCommand() or defineGroup()');
  checkActions(name, value, fail);
  return value;
}

function checkGroup({ description, subcommands, usual }: GroupSpec, kinds: Kinds, fail: Fail): void {
  checkDescription('the description', description, fail);
  const all = Object.entries(subcommands);
  if (all.length < 1 || all.length > LIMITS.options) fail(`must have 1 to ${LIMITS.options} subcommands`);
  if (usual !== undefined && !Object.hasOwn(subcommands, usual))
    fail(`the usual subcommand ${usual} is not among the subcommands`);
  for (const [word, spec] of all) {
    const failIn: Fail = (problem) => fail(`${word}: ${problem}`);
    if (!isName(word)) fail(`the subcommand "${word}" is not lower case words`);
    if (spec.actions) failIn('actions belong to the command, not to a subcommand');
    if (isCommand(spec)) checkCommand(spec, kinds, failIn);
    else failIn('is not made with defineCommand()');
  }
}

function checkCommand(spec: CommandSpec, kinds: Kinds, fail: Fail): void {
  const { description, permission, ack, options, shortcut } = spec;
  checkDescription('the description', description, fail);
  if (shortcut !== undefined && (shortcut === '' || shortcut.length > ENTRY_NAME))
    fail(`the name of the shortcut must have 1 to ${ENTRY_NAME} characters`);
  checkPermission('the permission', permission, fail);
  if (!['public', 'private', 'private-unless-shared'].includes(ack))
    fail('ack must be public, private or private-unless-shared');
  if (ack === 'private-unless-shared' && options.share?.kind !== 'boolean')
    fail('ack is private-unless-shared, so the command needs an option share of the kind boolean');
  checkOptions(options, kinds, fail);
  if (spec.layout) checkLayout(spec.layout, options, fail);
}

function checkLayout({ pick, first, more = {} }: FormLayout, options: OptionSpecs, fail: Fail): void {
  const names = [...first, ...Object.values(more).flat()];
  for (const name of [...names, ...(pick === undefined ? [] : [pick])])
    if (!Object.hasOwn(options, name)) fail(`the layout names the option ${name}, which does not exist`);
  if (new Set(names).size < names.length) fail('the layout names an option twice');
  const long = Object.entries(more).find(([, group]) => group.length > LIMITS.group);
  if (long) fail(`the group "${long[0]}" of the layout has more than ${LIMITS.group} options`);
}

function checkOptions(specs: OptionSpecs, kinds: Kinds, fail: Fail): void {
  const options = Object.entries(specs);
  if (options.length > LIMITS.options) fail(`has more than ${LIMITS.options} options`);
  let last = 0;
  for (const [option, spec] of options) {
    if (!isName(option)) fail(`the option name "${option}" is not lower case words`);
    checkDescription(`the description of ${option}`, spec.description, fail);
    const rank = spec.positional ? (spec.required ? 0 : 1) : spec.required ? 2 : 3;
    // Discord requires that the required options of a command come before the optional options.
    if (spec.required && last > 0) fail(`the required option ${option} must come before the optional ones`);
    if (rank < last) fail(`the positional option ${option} must come before the named ones`);
    last = rank;
    const kind = Object.hasOwn(kinds, spec.kind) ? kinds[spec.kind] : undefined;
    const problem = kind
      ? kind.problem?.({ ...spec, name: option })
      : `the kind of ${option} is unknown: ${spec.kind}`;
    if (problem !== undefined) fail(problem);
  }
}

function checkActions(name: string, { actions = {} }: CommandSpec | GroupSpec, fail: Fail): void {
  for (const [id, action] of Object.entries(actions)) {
    if (id === FORM) fail(`the action name "${FORM}" stands for the form of the command`);
    if (!NAME.test(id)) fail(`the action name "${id}" is not lower case words`);
    if (id === CALL) fail(`the action name "${id}" is taken: every command has this action`);
    if (name.length + id.length + 2 > ACTION_ROOM) fail(`the action name "${id}" is too long`);
    checkPermission(`the permission of ${id}`, action.permission, fail);
    if (!['public', 'private', 'update'].includes(action.ack))
      fail(`the ack of ${id} must be public, private or update`);
    const { onCard } = action;
    if (onCard !== undefined && (onCard === '' || onCard.length > ENTRY_NAME))
      fail(`onCard of ${id} must be the name of an action, of 1 to ${ENTRY_NAME} characters`);
    if (onCard !== undefined && (action.on === undefined || action.ack === 'update'))
      fail(`${id} has onCard, so the action needs "on", and an ack other than update`);
    if (typeof action.run !== 'function') fail(`the action ${id} has no function "run"`);
  }
}

function checkDescription(what: string, text: unknown, fail: Fail): void {
  if (typeof text !== 'string' || text.length < 1 || text.length > LIMITS.description)
    fail(`${what} must have 1 to ${LIMITS.description} characters`);
}

/**
 * Calls `fail` if `permissions` does not contain the permission, because the bot has no rule for an unknown permission.
 */
function checkPermission(what: string, permission: unknown, fail: Fail): void {
  if (typeof permission !== 'string' || !Object.hasOwn(permissions, permission))
    fail(`${what} is not one of ${Object.keys(permissions).join(', ')}`);
}

function isCommand(value: unknown): value is CommandSpec {
  const { description, options, run } = (value ?? {}) as Partial<CommandSpec>;
  return typeof description === 'string' && isObject(options) && typeof run === 'function';
}

function isGroup(value: unknown): value is GroupSpec {
  return isObject(value) && isObject((value as Partial<GroupSpec>).subcommands);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
