import {
  type APIApplicationCommandInteractionDataOption,
  type APIChatInputApplicationCommandInteraction,
  type APIInteraction,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  InteractionType,
} from 'discord.js';
import { decodeActionId } from '../../chat/action-id.ts';
import type { InvocationRequest } from '../../chat/port.ts';
import type { Directory } from '../../command/define.ts';
import { type Interaction, sourceOf } from './invocation.ts';

/** What an interaction asks for; `stale` is a component this version of the bot has no action for. */
export type Received =
  | { readonly kind: 'request'; readonly interaction: Interaction; readonly request: InvocationRequest }
  | { readonly kind: 'stale'; readonly interaction: Interaction }
  | { readonly kind: 'other' };

export function receive(interaction: APIInteraction, directory: Directory): Received {
  if (isSlashCommand(interaction)) {
    const { name, options = [] } = interaction.data;
    const subcommand = options.find((option) => option.type === ApplicationCommandOptionType.Subcommand);
    const values = valuesOf(subcommand?.options ?? options);
    const args = { kind: 'values', subcommand: subcommand?.name, values } as const;
    return { kind: 'request', interaction, request: { kind: 'command', command: name, args } };
  }
  if (interaction.type === InteractionType.MessageComponent) {
    const action = decodeActionId(interaction.data.custom_id);
    const known = action && directory.get(action.command)?.actions;
    if (!action || !known || !Object.hasOwn(known, action.action)) return { kind: 'stale', interaction };
    const source = sourceOf(interaction);
    return { kind: 'request', interaction, request: { kind: 'action', action, source } };
  }
  return { kind: 'other' };
}

function isSlashCommand(
  interaction: APIInteraction,
): interaction is APIChatInputApplicationCommandInteraction {
  return (
    interaction.type === InteractionType.ApplicationCommand &&
    interaction.data.type === ApplicationCommandType.ChatInput
  );
}

/** The options as typed. Options that hold something else (a person, a role) belong to no command of ours. */
function valuesOf(
  options: readonly APIApplicationCommandInteractionDataOption[],
): Record<string, string | number | boolean> {
  const values: Record<string, string | number | boolean> = {};
  for (const option of options) {
    switch (option.type) {
      case ApplicationCommandOptionType.String:
      case ApplicationCommandOptionType.Integer:
      case ApplicationCommandOptionType.Number:
      case ApplicationCommandOptionType.Boolean:
        values[option.name] = option.value;
    }
  }
  return values;
}
