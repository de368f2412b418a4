import type { types } from '@slack/bolt';
import { encodeActionId } from '../../chat/action-id.ts';
import type { Choice, Select } from '../../chat/card.ts';
import { inOneDirection } from '../../chat/direction.ts';
import type { Form, FormField } from '../../chat/form.ts';
import { cutEnd } from '../../chat/text.ts';
import { LIMITS } from './limits.ts';

/** The name of the field for the channel. The dot distinguishes this name from the names of options. */
export const CHANNEL = '.channel';

/**
 * Renders a form as a modal. Cuts text that is too long. Throws if the form has more fields or choices than Slack
 * accepts, or if a choice's value is too long.
 */
export function renderForm(
  form: Form,
  private_metadata: string,
  { asksChannel = false }: { readonly asksChannel?: boolean } = {},
): types.ModalView {
  const { title, submitLabel, fields, submit, posts, more } = inOneDirection(form);
  const blocks = [
    ...(posts && asksChannel ? [channelBlock()] : []),
    ...fields.flatMap((field) => fieldBlocks(field, submit.command)),
    ...moreBlocks(more),
  ];
  if (blocks.length > LIMITS.view.blocks) throw new Error(`More than ${LIMITS.view.blocks} blocks in a form`);
  return {
    type: 'modal',
    callback_id: encodeActionId(submit),
    private_metadata,
    notify_on_close: true,
    title: plain(title, LIMITS.view.label),
    submit: plain(submitLabel, LIMITS.view.label),
    blocks,
  };
}

/**
 * A field that asks for the channel. Needed if a person opens a form with a shortcut outside any channel. Slack
 * preselects the channel that the person is viewing.
 */
function channelBlock(): types.InputBlock {
  return {
    type: 'input',
    block_id: CHANNEL,
    label: plain('Channel', LIMITS.view.field),
    hint: plain('I post the answer in this channel.', LIMITS.view.field),
    element: {
      type: 'conversations_select',
      action_id: CHANNEL,
      default_to_current_conversation: true,
      filter: { include: ['public', 'private'], exclude_bot_users: true },
    },
  };
}

/** A modal that shows only a text. */
export function renderNotice(title: string, text: string): types.ModalView {
  const section = { type: 'section', text: plain(text, LIMITS.text) } as const;
  return { type: 'modal', title: plain(title, LIMITS.view.label), blocks: [section] };
}

function fieldBlocks(field: FormField, command: string): types.KnownBlock[] {
  const { name, label, hint, heading, required } = field;
  return [
    ...(heading === undefined ? [] : [{ type: 'header', text: plain(heading, LIMITS.header) } as const]),
    {
      type: 'input',
      block_id: name,
      label: plain(label, LIMITS.view.field),
      ...(hint ? { hint: plain(hint, LIMITS.view.field) } : {}),
      optional: !required,
      element: element(field, command),
    },
  ];
}

function moreBlocks(more: Form['more']): types.KnownBlock[] {
  if (!more) return [];
  const button = {
    type: 'button',
    action_id: encodeActionId(more.action),
    text: plain(more.label, LIMITS.button),
  } as const;
  return [{ type: 'actions', elements: [button] }];
}

function element(field: FormField, command: string): types.InputBlock['element'] {
  const { name, initial } = field;
  const placeholder = field.placeholder ? { placeholder: plain(field.placeholder, LIMITS.placeholder) } : {};
  if (field.kind === 'choice') {
    const options = optionsOf(field.choices);
    const initial_option = options.find(({ value }) => value === initial);
    return {
      type: 'static_select',
      action_id: name,
      ...placeholder,
      options,
      ...(initial_option ? { initial_option } : {}),
    };
  }
  if (field.suggestedAs !== undefined) {
    const [option = '', subcommand = ''] = field.suggestedAs.split(' ').toReversed();
    // Slack sends this id with each request for suggestions, so the id names the option.
    const action_id = encodeActionId({ command, action: option, arg: subcommand });
    if (field.many) {
      const values = (initial ?? '')
        .split('\n')
        .filter((value) => value !== '' && value.length <= LIMITS.option);
      const initial_options = values
        .slice(0, LIMITS.options)
        .map((value) => optionOf({ label: value, value }));
      return {
        type: 'multi_external_select',
        action_id,
        ...placeholder,
        min_query_length: 0,
        ...(values.length > 0 ? { initial_options } : {}),
      };
    }
    return {
      type: 'external_select',
      action_id,
      ...placeholder,
      min_query_length: 0,
      // Leaves out a value that is too long. Slack would refuse the whole form, and a shortened value would be wrong.
      ...(initial && initial.length <= LIMITS.option
        ? { initial_option: optionOf({ label: initial, value: initial }) }
        : {}),
    };
  }
  const max_length = Math.min(field.maxLength ?? LIMITS.text, LIMITS.text);
  return {
    type: 'plain_text_input',
    action_id: name,
    multiline: field.lines === 'paragraph',
    max_length,
    ...placeholder,
    ...(initial ? { initial_value: cutEnd(initial, max_length) } : {}),
  };
}

/** Renders a menu for a message. */
export function selectElement({ placeholder, choices }: Select, action_id: string): types.StaticSelect {
  return {
    type: 'static_select',
    action_id,
    placeholder: plain(placeholder, LIMITS.placeholder),
    options: optionsOf(choices),
  };
}

function optionsOf(choices: readonly Choice[]): types.PlainTextOption[] {
  if (choices.length > LIMITS.options) throw new Error(`More than ${LIMITS.options} choices in a menu`);
  return choices.map(optionOf);
}

/** Renders the suggestions for a person who is typing in a field. Leaves out suggestions beyond Slack's limits. */
export function suggestedOptions(choices: readonly Choice[]): types.PlainTextOption[] {
  const fitting = choices.filter(({ value }) => value !== '' && value.length <= LIMITS.option);
  return fitting.slice(0, LIMITS.options).map(optionOf);
}

function optionOf({ label, detail, value }: Choice): types.PlainTextOption {
  if (value.length > LIMITS.option)
    throw new Error(`A choice's value is longer than ${LIMITS.option}: ${value}`);
  const description = detail ? { description: plain(detail, LIMITS.option) } : {};
  return { text: plain(label, LIMITS.option), value, ...description };
}

function plain(text: string, most: number): types.PlainTextElement {
  return { type: 'plain_text', text: cutEnd(text, most), emoji: false };
}
