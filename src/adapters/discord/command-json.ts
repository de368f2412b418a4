import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  PermissionFlagsBits,
} from 'discord-api-types/v10';
import { type Command, type Directory, type Entry, leastPermission } from '../../command/define.ts';
import type { Option } from '../../command/kinds/kind.ts';
import { menuActions } from '../../command/on-card.ts';
import { type Permission, permissions } from '../../command/permissions.ts';
import type { AccessRules } from '../../config.ts';
import { limits } from './limits.ts';

export type CommandJson = ReturnType<typeof commandJson> | ReturnType<typeof entryJson>;

/** All commands to register in a server: the slash commands, and the actions in the "Apps" menu of a message. */
export function commandsJson(directory: Directory, access: AccessRules): CommandJson[] {
  const entries = menuActions(directory).map(({ label, action }) =>
    entryJson(label, action.permission, access),
  );
  return [...directory.all.map((command) => commandJson(command, access)), ...entries];
}

/** An action in the menu "Apps" of a message. Discord accepts no description and no options for such a command. */
function entryJson(name: string, permission: Permission, access: AccessRules) {
  return {
    type: ApplicationCommandType.Message as const,
    name,
    default_member_permissions: leastRight(permission, access),
  };
}

/** The texts of a command, a subcommand or an option that count towards the limit of characters. */
interface Described {
  readonly type: ApplicationCommandOptionType | ApplicationCommandType;
  readonly name: string;
  readonly description: string;
  readonly options?: readonly Described[];
  readonly choices?: readonly { name: string; value: string }[];
}

const types = {
  text: ApplicationCommandOptionType.String,
  choice: ApplicationCommandOptionType.String,
  integer: ApplicationCommandOptionType.Integer,
  boolean: ApplicationCommandOptionType.Boolean,
} as const;

/**
 * Turns a command into the JSON for its registration in a server. `contexts` and `integration_types` are left out,
 * because Discord uses these two fields only for global commands (Application Commands, "Application Command Object").
 * Throws if Discord would not accept the command.
 */
export function commandJson(command: Command, access: AccessRules) {
  const { name, description, entries } = command;
  const json = {
    type: ApplicationCommandType.ChatInput as const,
    name,
    description,
    options: entries.flatMap(optionsJson),
    default_member_permissions: leastRight(leastPermission(command), access),
  };
  const characters = charactersOf(json);
  if (characters > limits.commandCharacters)
    throw new Error(`/${name} has ${characters} characters; Discord allows ${limits.commandCharacters}`);
  return json;
}

function charactersOf({ name, description, options = [], choices = [] }: Described): number {
  const inside = [
    ...options.map(charactersOf),
    ...choices.map((choice) => choice.name.length + choice.value.length),
  ];
  return inside.reduce((sum, count) => sum + count, name.length + description.length);
}

/** The options of a command. Discord treats a subcommand as an option that contains the subcommand's own options. */
function optionsJson({ word, description, options }: Entry): Described[] {
  const all = Object.entries(options)
    .filter(([, { kind }]) => !kind.onlyInForm)
    .map(([name, option]) => optionJson(name, option));
  if (word === undefined) return all;
  return [{ type: ApplicationCommandOptionType.Subcommand, name: word, description, options: all }];
}

/**
 * The permission that a member needs to see the command, until a server's administrator changes this setting. Null
 * means that every member sees the command. If access depends on a role, the result is null, because a registration
 * cannot name roles. Any required permission would hide the command from people who have only the role.
 */
function leastRight(permission: Permission, access: AccessRules): number | null {
  const level = permissions[permission];
  const administratorsOnly =
    access.operators === undefined &&
    (level === 'change' ||
      level === 'inspect' ||
      (level === 'read' && access.readers === undefined && access.readersByDefault === 'operators'));
  return administratorsOnly ? Number(PermissionFlagsBits.ManageGuild) : null;
}

/**
 * No option is marked as required. Discord's client does not send a command whose required option is missing, so the
 * bot could not ask for this option in a form.
 */
function optionJson(name: string, { description, input, suggest }: Option) {
  const json = { type: types[input.type], name, description, required: false };
  if (input.type === 'integer') return { ...json, min_value: input.min, max_value: input.max };
  if (input.type === 'boolean') return json;
  if (input.type === 'choice')
    return { ...json, choices: input.choices.map((value) => ({ name: value, value })) };
  const autocomplete = suggest ? { autocomplete: true as const } : {};
  return { ...json, max_length: Math.min(input.maxLength, limits.optionLength), ...autocomplete };
}
