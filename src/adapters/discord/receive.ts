import {
  type APIApplicationCommandInteractionDataOption,
  type APIChatInputApplicationCommandInteraction,
  type APIInteraction,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  InteractionType,
} from 'discord.js';
import { decodeActionId } from '../../chat/action-id.ts';
import type { InvocationRequest, Question } from '../../chat/port.ts';
import { valuesOf } from './form.ts';
import { addressOf, type Interaction, sourceOf } from './invocation.ts';
import { personOf } from './person.ts';

/** What an interaction asks for. */
export type Received =
  | { readonly kind: 'request'; readonly interaction: Interaction; readonly request: InvocationRequest }
  | { readonly kind: 'question'; readonly question: Question }
  | { readonly kind: 'other' };

export function receive(interaction: APIInteraction, guilds: readonly string[]): Received {
  if (isSlashCommand(interaction)) {
    const { name, options } = interaction.data;
    const args = { kind: 'values', values: optionsOf(options) } as const;
    return { kind: 'request', interaction, request: { kind: 'command', command: name, args } };
  }
  switch (interaction.type) {
    case InteractionType.MessageComponent: {
      const { data } = interaction;
      const action = decodeActionId(data.custom_id);
      const chosen = 'values' in data ? data.values : [];
      const request = { kind: 'action', action, chosen, source: sourceOf(interaction) } as const;
      return { kind: 'request', interaction, request };
    }
    case InteractionType.ModalSubmit: {
      const { data } = interaction;
      const action = decodeActionId(data.custom_id);
      const request = {
        kind: 'form',
        action,
        fields: valuesOf(data),
        source: sourceOf(interaction),
      } as const;
      return { kind: 'request', interaction, request };
    }
    case InteractionType.ApplicationCommandAutocomplete: {
      const { name, options } = interaction.data;
      const { [focusedIn(options)]: typed = '', ...given } = optionsOf(options);
      const person = async () => personOf(interaction, guilds);
      const option = focusedIn(options);
      const question = {
        at: addressOf(interaction),
        command: name,
        option,
        typed: String(typed),
        given,
        person,
      };
      return { kind: 'question', question };
    }
    default:
      return { kind: 'other' };
  }
}

/** The name of the option that is being typed. */
function focusedIn(options: readonly APIApplicationCommandInteractionDataOption<InteractionType>[]): string {
  return options.find((option) => 'focused' in option && option.focused)?.name ?? '';
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
function optionsOf(
  options: readonly APIApplicationCommandInteractionDataOption<InteractionType>[] = [],
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
