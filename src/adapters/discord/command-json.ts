import { ApplicationCommandOptionType, ApplicationCommandType, PermissionFlagsBits } from 'discord.js';
import type { NamedCommand } from '../../command/define.ts';
import type { OptionSpec } from '../../command/options.ts';
import { permissions } from '../../command/permissions.ts';
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
  readonly required: boolean;
  readonly choices?: readonly { name: string; value: string }[];
  readonly min_value?: number;
  readonly max_value?: number;
  readonly max_length?: number;
  readonly autocomplete?: true;
}

/** Throws where Discord would not take the command. */
export function commandJson({ name, command }: NamedCommand, access: AccessRules): CommandJson {
  const json: CommandJson = {
    type: ApplicationCommandType.ChatInput,
    name,
    description: command.description,
    options: Object.entries(command.options).map(([option, spec]) => optionJson(option, spec)),
    default_member_permissions: leastRight(command.permission, access),
  };
  const characters = [json, ...json.options, ...json.options.flatMap((option) => option.choices ?? [])]
    .flatMap((part) => [part.name, 'description' in part ? part.description : part.value])
    .join('').length;
  if (characters > limits.command.characters)
    throw new Error(`/${name} has ${characters} characters; Discord allows ${limits.command.characters}`);
  return json;
}

/**
 * Who sees the command before an administrator of the server says otherwise. As soon as a role decides, everybody has
 * to see it: Discord cannot be told here which roles, and would hide it from people the bot's own check lets in.
 */
function leastRight(permission: NamedCommand['command']['permission'], access: AccessRules): number | null {
  const level = permissions[typeof permission === 'object' ? permission.least : permission];
  const administratorsOnly =
    access.operators === undefined &&
    (level === 'change' ||
      (level === 'read' && access.readers === undefined && access.readersByDefault === 'operators'));
  return administratorsOnly ? Number(PermissionFlagsBits.ManageGuild) : null;
}

function optionJson(name: string, spec: OptionSpec): OptionJson {
  const base = { name, description: spec.description, required: spec.required ?? false };
  switch (spec.kind) {
    case 'integer':
      return {
        ...base,
        type: ApplicationCommandOptionType.Integer,
        min_value: spec.min,
        max_value: spec.max,
      };
    case 'boolean':
      return { ...base, type: ApplicationCommandOptionType.Boolean };
    case 'choice':
      return {
        ...base,
        type: ApplicationCommandOptionType.String,
        choices: spec.choices.map((choice) => ({ name: choice, value: choice })),
      };
    case 'string':
      return text(Math.min(spec.maxLength ?? limits.optionLength, limits.optionLength));
    case 'list':
      return text(1000);
    case 'application':
    case 'version':
    case 'deployment':
    case 'location':
    case 'tag':
      // Longer than anything that exists, short enough to stop a whole paste; what exists is checked by the bot.
      return text(200);
  }

  function text(max_length: number): OptionJson {
    const autocomplete = spec.suggest ? { autocomplete: true as const } : {};
    return { ...base, type: ApplicationCommandOptionType.String, max_length, ...autocomplete };
  }
}
