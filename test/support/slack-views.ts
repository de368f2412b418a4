import { checkSelect, refusalOf } from './slack-blocks.ts';

/** A modal that the bot has opened. */
export interface OpenView {
  readonly id: string;
  readonly callback_id: string;
  readonly private_metadata: string;
  readonly title: { readonly text: string };
  readonly notify_on_close?: boolean;
  /** Absent if the modal has no input blocks, because no submit button is needed then. */
  readonly submit?: { readonly text: string };
  readonly blocks: readonly Block[];
}

type Block = InputBlock | OtherBlock;

/** A heading, a text, or a row of buttons. */
interface OtherBlock {
  readonly type: 'header' | 'section' | 'actions';
  readonly block_id?: undefined;
  readonly text?: { readonly text: string };
  readonly elements?: readonly { readonly action_id: string; readonly text: { readonly text: string } }[];
}

interface InputBlock {
  readonly type: 'input';
  readonly block_id: string;
  readonly label: { readonly text: string };
  readonly hint?: { readonly text: string };
  readonly optional?: boolean;
  readonly element: {
    readonly type: string;
    readonly action_id: string;
    readonly options?: readonly unknown[];
    readonly [key: string]: unknown;
  };
}

/** The modals of a workspace. */
export class SlackViews {
  readonly open: OpenView[] = [];
  /** The number of times that a modal was opened or changed. */
  changes = 0;
  /** The triggers that are too old to open a modal. */
  readonly expired = new Set<string>();
  everyTriggerExpired = false;
  readonly #exchanged = new Set<string>();

  /** Slack's answer to `views.open`: the new view or an error. */
  take({ trigger_id = '', view = '{}' }: Readonly<Record<string, string>>): OpenView | string {
    if (this.everyTriggerExpired || this.expired.has(trigger_id)) return 'expired_trigger_id';
    if (this.#exchanged.has(trigger_id)) return 'exchanged_trigger_id';
    this.#exchanged.add(trigger_id);
    const given = JSON.parse(view) as OpenView;
    const opened = { ...given, id: `V${this.open.length + 1}` };
    this.open.push(opened);
    this.changes += 1;
    return opened;
  }

  /** Slack's answer to `views.update`: the changed view or an error. */
  change({ view_id = '', view = '{}' }: Readonly<Record<string, string>>): OpenView | string {
    const index = this.open.findIndex(({ id }) => id === view_id);
    if (index === -1) return 'not_found';
    const changed = { ...(JSON.parse(view) as OpenView), id: view_id };
    this.open[index] = changed;
    this.changes += 1;
    return changed;
  }
}

export function inputsOf({ blocks }: Pick<OpenView, 'blocks'>): InputBlock[] {
  return blocks.filter((block) => block.type === 'input');
}

/** Checks a modal like Slack (docs.slack.dev, views and input block references). */
export function viewProblems(json = '{}'): string[] {
  const view = JSON.parse(json) as Partial<OpenView> & { readonly type?: string };
  const problems: string[] = [];
  const need = (good: boolean, problem: string) => void (good || problems.push(problem));
  const fits = (text: string | undefined, most: number) =>
    text !== undefined && text.length <= most && text !== '';
  need(view.type === 'modal', 'no modal');
  need(fits(view.title?.text, 24), 'title of 1 to 24 characters');
  const inputs = inputsOf({ blocks: view.blocks ?? [] });
  need(
    view.submit === undefined ? inputs.length === 0 : fits(view.submit.text, 24),
    'submit of 1 to 24 characters, with input blocks',
  );
  need((view.callback_id ?? '').length <= 255, 'callback_id of at most 255 characters');
  need((view.private_metadata ?? '').length <= 3000, 'private_metadata of at most 3000 characters');
  const blocks = view.blocks ?? [];
  need(blocks.length >= 1 && blocks.length <= 100, '1 to 100 blocks');
  need(new Set(inputs.map(({ block_id }) => block_id)).size === inputs.length, 'block_id twice');
  const others = blocks.filter((block) => block.type !== 'input');
  const refused = refusalOf(others, { total: false });
  if (refused) problems.push(...refused.problems);
  for (const { label, hint, element } of inputs) {
    need(fits(label.text, 2000), 'label of 1 to 2000 characters');
    need(hint === undefined || fits(hint.text, 2000), 'hint of 1 to 2000 characters');
    if (element.type === 'static_select') checkSelect(element, element.action_id, problems);
    else if (element.type === 'plain_text_input') {
      const { initial_value = '', max_length = 3000 } = element as {
        initial_value?: string;
        max_length?: number;
      };
      need(initial_value.length <= max_length, 'initial_value of at most max_length characters');
    } else if (element.type === 'multi_external_select') {
      const { initial_options = [] } = element as { initial_options?: readonly { value: string }[] };
      const isGood = ({ value }: { value: string }) => value.length >= 1 && value.length <= 75;
      need(!('initial_options' in element) || initial_options.length > 0, 'at least one initial option');
      need(initial_options.every(isGood), 'initial_options with values of 1 to 75 characters');
    } else if (element.type !== 'conversations_select') {
      need(element.type === 'external_select', `element ${element.type}`);
      const { initial_option } = element as { initial_option?: { value: string } };
      need(
        (initial_option?.value ?? '').length <= 75,
        'initial_option with a value of at most 75 characters',
      );
    }
  }
  return problems;
}

/**
 * The `state.values` of the view after a person has typed or chosen these values. If a field has several chosen values,
 * each is on a separate line.
 */
export function stateOf(view: OpenView, values: Readonly<Record<string, string>>): object {
  const optionOf = (value: string) => ({ text: { type: 'plain_text', text: value }, value });
  return Object.fromEntries(
    inputsOf(view).map(({ block_id, element: { type, action_id } }) => {
      const value = values[block_id] ?? null;
      const option = value === null ? null : optionOf(value);
      const chosen = (value ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .map(optionOf);
      const held =
        type === 'plain_text_input'
          ? { type, value }
          : type === 'multi_external_select'
            ? { type, selected_options: chosen }
            : type === 'conversations_select'
              ? { type, selected_conversation: value }
              : { type, selected_option: option };
      return [block_id, { [action_id]: held }];
    }),
  );
}
