import {
  type APIApplicationCommandAutocompleteInteraction,
  type APIApplicationCommandInteractionDataOption,
  type APIChatInputApplicationCommandInteraction,
  type APIInteraction,
  type APIMessage,
  type APIMessageApplicationCommandInteraction,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ComponentType,
  InteractionType,
} from 'discord-api-types/v10';
import { decodeActionId } from '../../chat/action-id.ts';
import type { ActionRef } from '../../chat/card.ts';
import type { InvocationRequest, MessageRequest, SuggestionRequest } from '../../chat/port.ts';
import { refOf } from './answer.ts';
import { valuesOf as fieldsOf } from './form.ts';
import { addressOf, type Interaction, sourceOf } from './invocation.ts';
import { personOf } from './person.ts';

type Option = APIApplicationCommandInteractionDataOption<InteractionType>;

/**
 * The result of reading an interaction: a request to carry out, a request for suggestions, or an interaction to ignore.
 */
export type Received =
  | { readonly kind: 'request'; readonly interaction: Interaction; readonly request: InvocationRequest }
  | { readonly kind: 'question'; readonly question: SuggestionRequest }
  | { readonly kind: 'other' };

/** Reads an interaction. `bot` is the bot's own user id, because the bot acts only on messages of this user. */
export function receive(
  interaction: APIInteraction,
  guilds: readonly string[],
  bot: string | undefined,
): Received {
  if (isSlashCommand(interaction)) {
    const { name, options } = interaction.data;
    const { subcommand, own } = nested(options);
    const args = { kind: 'values', subcommand, values: valuesOf(own) } as const;
    return { kind: 'request', interaction, request: { kind: 'command', command: name, args } };
  }
  if (isMessageCommand(interaction))
    return { kind: 'request', interaction, request: requestOnMessage(interaction, bot) };
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

function isMessageCommand(
  interaction: APIInteraction,
): interaction is APIMessageApplicationCommandInteraction {
  return (
    interaction.type === InteractionType.ApplicationCommand &&
    interaction.data.type === ApplicationCommandType.Message
  );
}

/**
 * The message on which a person used an action. Discord sends the whole message with the interaction, even if the bot
 * may not read the channel (Gateway, "Message Content Intent").
 */
function requestOnMessage(
  interaction: APIMessageApplicationCommandInteraction,
  bot: string | undefined,
): MessageRequest {
  const { name: entry, target_id, resolved } = interaction.data;
  const message = resolved.messages[target_id];
  const ref = { ...addressOf(interaction), message: target_id };
  const own = message?.author.id === bot ? message : undefined;
  const above = own?.message_reference?.message_id;
  return {
    kind: 'message',
    entry,
    message: message ? refOf(ref, message) : ref,
    buttons: buttonsIn(own?.components ?? []),
    ...(above === undefined ? {} : { under: { ...addressOf(interaction), message: above } }),
    content: own ? JSON.stringify(own.components ?? []) : '',
  };
}

/** The actions of all buttons, nested buttons included. */
function buttonsIn(components: NonNullable<APIMessage['components']> | readonly object[]): ActionRef[] {
  return components.flatMap((component) => {
    const { type, custom_id, components: inside = [], accessory } = component as Nested;
    const own =
      type === ComponentType.Button && custom_id !== undefined ? decodeActionId(custom_id) : undefined;
    return [...(own ? [own] : []), ...buttonsIn([...inside, ...(accessory ? [accessory] : [])])];
  });
}

/** The fields of any component that can hold buttons or be a button. */
interface Nested {
  readonly type: ComponentType;
  readonly custom_id?: string;
  readonly components?: readonly object[];
  readonly accessory?: object;
}

/** Discord sends the options of a subcommand inside the subcommand. */
function nested(options: readonly Option[] = []) {
  const subcommand = options.find((option) => option.type === ApplicationCommandOptionType.Subcommand);
  return { subcommand: subcommand?.name, own: subcommand?.options ?? options };
}

/**
 * The options as the person typed them. This bot's commands have no options of other types, such as a person or a role.
 */
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
