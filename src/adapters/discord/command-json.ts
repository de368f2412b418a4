import { ApplicationCommandOptionType, ApplicationCommandType, PermissionFlagsBits } from 'discord.js';
import { type Command, type Entry, leastPermission } from '../../command/define.ts';
import type { Option } from '../../command/kinds/kind.ts';
import { type Permission, permissions } from '../../command/permissions.ts';
import type { AccessRules } from '../../config.ts';
import { limits } from './limits.ts';

/**
 * A command as Discord registers it in a server. `contexts` and `integration_types` are left out: they are for global
 * commands only (Application Commands, "Application Command Object"), and a server's command exists only in it.
 */
export interface CommandJson {
  readonly type: ApplicationCommandType.ChatInput;
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionJson[];
  readonly default_member_permissions: number | null;
}

export interface OptionJson {
  readonly type: ApplicationCommandOptionType;
  readonly name: string;
  readonly description: string;
  /** Of a subcommand. */
  readonly options?: readonly OptionJson[];
  readonly required?: boolean;
  readonly choices?: readonly { name: string; value: string }[];
  readonly min_value?: number;
  readonly max_value?: number;
  readonly max_length?: number;
  readonly autocomplete?: true;
}

const types = {
  text: ApplicationCommandOptionType.String,
  choice: ApplicationCommandOptionType.String,
  integer: ApplicationCommandOptionType.Integer,
  boolean: ApplicationCommandOptionType.Boolean,
} as const;

/** Throws where Discord would not take the command. */
export function commandJson(command: Command, access: AccessRules): CommandJson {
  const { name, description, entries } = command;
  const json: CommandJson = {
    type: ApplicationCommandType.ChatInput,
    name,
    description,
    options: entries.flatMap((entry) => entryJson(entry)),
    default_member_permissions: leastRight(leastPermission(command), access),
  };
  const characters = charactersOf(json);
  if (characters > limits.commandCharacters)
    throw new Error(`/${name} has ${characters} characters; Discord allows ${limits.commandCharacters}`);
  return json;
}

function charactersOf({ name, description, options = [], choices = [] }: Omit<OptionJson, 'type'>): number {
  const inside = [
    ...options.map(charactersOf),
    ...choices.flatMap((one) => [one.name.length, one.value.length]),
  ];
  return inside.reduce((sum, one) => sum + one, name.length + description.length);
}

/** The options of a command; of a subcommand, the one option that it is to Discord. */
function entryJson({ word, description, options }: Entry): OptionJson[] {
  const all = Object.entries(options).map(([name, option]) => optionJson(name, option));
  if (word === undefined) return all;
  return [{ type: ApplicationCommandOptionType.Subcommand, name: word, description, options: all }];
}

/**
 * Who sees the command before an administrator of the server says otherwise. As soon as a role decides, everybody has
 * to see it: Discord cannot be told here which roles, and would hide it from people the bot's own check lets in.
 */
function leastRight(permission: Permission, access: AccessRules): number | null {
  const level = permissions[permission];
  const administratorsOnly =
    access.operators === undefined &&
    (level === 'change' ||
      (level === 'read' && access.readers === undefined && access.readersByDefault === 'operators'));
  return administratorsOnly ? Number(PermissionFlagsBits.ManageGuild) : null;
}

function optionJson(name: string, { description, required = false, input, suggest }: Option): OptionJson {
  const json = { type: types[input.type], name, description, required };
  if (input.type === 'integer') return { ...json, min_value: input.min, max_value: input.max };
  if (input.type === 'boolean') return json;
  if (input.type === 'choice')
    return { ...json, choices: input.choices.map((value) => ({ name: value, value })) };
  const autocomplete = suggest ? { autocomplete: true as const } : {};
  return { ...json, max_length: Math.min(input.maxLength, limits.optionLength), ...autocomplete };
}
