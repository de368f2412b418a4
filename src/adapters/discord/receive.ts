import {
  type APIApplicationCommandAutocompleteInteraction,
  type APIApplicationCommandInteractionDataOption,
  type APIChatInputApplicationCommandInteraction,
  type APIInteraction,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  InteractionType,
} from 'discord-api-types/v10';
import { decodeActionId } from '../../chat/action-id.ts';
import type { InvocationRequest, Question } from '../../chat/port.ts';
import { valuesOf as fieldsOf } from './form.ts';
import { addressOf, type Interaction, sourceOf } from './invocation.ts';
import { personOf } from './person.ts';

type Option = APIApplicationCommandInteractionDataOption<InteractionType>;

/** An interaction, read as a request to carry out, as a question for suggestions, or as an interaction to ignore. */
export type Received =
  | { readonly kind: 'request'; readonly interaction: Interaction; readonly request: InvocationRequest }
  | { readonly kind: 'question'; readonly question: Question }
  | { readonly kind: 'other' };

export function receive(interaction: APIInteraction, guilds: readonly string[]): Received {
  if (isSlashCommand(interaction)) {
    const { name, options } = interaction.data;
    const { subcommand, own } = nested(options);
    const args = { kind: 'values', subcommand, values: valuesOf(own) } as const;
    return { kind: 'request', interaction, request: { kind: 'command', command: name, args } };
  }
  if (interaction.type === InteractionType.ApplicationCommandAutocomplete)
    return { kind: 'question', question: questionOf(interaction, guilds) };
  if (
    interaction.type !== InteractionType.MessageComponent &&
    interaction.type !== InteractionType.ModalSubmit
  )
    return { kind: 'other' };
  const behind = { action: decodeActionId(interaction.data.custom_id), source: sourceOf(interaction) };
  if (interaction.type === InteractionType.ModalSubmit) {
    const fields = fieldsOf(interaction.data);
    return { kind: 'request', interaction, request: { kind: 'form', ...behind, fields } };
  }
  const chosen = 'values' in interaction.data ? interaction.data.values : [];
  return { kind: 'request', interaction, request: { kind: 'action', ...behind, chosen } };
}

function questionOf(typing: APIApplicationCommandAutocompleteInteraction, guilds: readonly string[]) {
  const { name: command, options } = typing.data;
  const { subcommand, own } = nested(options);
  const option = own.find((each) => 'focused' in each && each.focused)?.name ?? '';
  const { [option]: typed = '', ...given } = valuesOf(own);
  const person = async () => personOf(typing, guilds);
  return { at: addressOf(typing), command, subcommand, option, typed: String(typed), given, person };
}

function isSlashCommand(
  interaction: APIInteraction,
): interaction is APIChatInputApplicationCommandInteraction {
  return (
    interaction.type === InteractionType.ApplicationCommand &&
    interaction.data.type === ApplicationCommandType.ChatInput
  );
}

/** Discord places the options of a subcommand inside the subcommand. */
function nested(options: readonly Option[] = []) {
  const subcommand = options.find((option) => option.type === ApplicationCommandOptionType.Subcommand);
  return { subcommand: subcommand?.name, own: subcommand?.options ?? options };
}

/** The options as typed. Options of other types (a person, a role) belong to no command of this bot. */
function valuesOf(options: readonly Option[]): Record<string, string | number | boolean> {
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
