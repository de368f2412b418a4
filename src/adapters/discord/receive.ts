import {
  type APIChatInputApplicationCommandInteraction,
  type APIInteraction,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  InteractionType,
} from 'discord.js';
import { decodeActionId } from '../../cards/action-id.ts';
import type { InvocationRequest } from '../adapter.ts';
import { type Interaction, sourceOf } from './invocation.ts';

/** What an interaction asks for. */
export type Received =
  | { readonly kind: 'request'; readonly interaction: Interaction; readonly request: InvocationRequest }
  | { readonly kind: 'other' };

export function receive(interaction: APIInteraction): Received {
  if (isSlashCommand(interaction)) {
    const { name } = interaction.data;
    const args = { kind: 'values', values: valuesOf(interaction) } as const;
    return { kind: 'request', interaction, request: { kind: 'command', command: name, args } };
  }
  if (interaction.type === InteractionType.MessageComponent) {
    const action = decodeActionId(interaction.data.custom_id);
    if (!action) return { kind: 'other' };
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
  interaction: APIChatInputApplicationCommandInteraction,
): Record<string, string | number | boolean> {
  const values: Record<string, string | number | boolean> = {};
  for (const option of interaction.data.options ?? []) {
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
