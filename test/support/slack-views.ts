import { checkSelect } from './slack-blocks.ts';

/** A modal as the bot opened the modal. */
export interface OpenView {
  readonly id: string;
  readonly callback_id: string;
  readonly private_metadata: string;
  readonly title: { readonly text: string };
  readonly submit: { readonly text: string };
  readonly blocks: readonly InputBlock[];
}

interface InputBlock {
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
  readonly #exchanged = new Set<string>();

  /** `views.open`: the new view, or Slack's error. */
  take({ trigger_id = '', view = '{}' }: Readonly<Record<string, string>>): OpenView | string {
    if (this.#exchanged.has(trigger_id)) return 'exchanged_trigger_id';
    this.#exchanged.add(trigger_id);
    const given = JSON.parse(view) as OpenView;
    const opened = { ...given, id: `V${this.open.length + 1}` };
    this.open.push(opened);
    return opened;
  }
}

/** The refusals of Slack for a modal (docs.slack.dev, views and input block references). */
export function viewProblems(json = '{}'): string[] {
  const view = JSON.parse(json) as Partial<OpenView> & { readonly type?: string };
  const problems: string[] = [];
  const need = (good: boolean, problem: string) => void (good || problems.push(problem));
  const fits = (text: string | undefined, most: number) =>
    text !== undefined && text.length <= most && text !== '';
  need(view.type === 'modal', 'no modal');
  need(fits(view.title?.text, 24), 'title of 1 to 24 characters');
  need(fits(view.submit?.text, 24), 'submit of 1 to 24 characters, with input blocks');
  need((view.callback_id ?? '').length <= 255, 'callback_id of at most 255 characters');
  need((view.private_metadata ?? '').length <= 3000, 'private_metadata of at most 3000 characters');
  const blocks = view.blocks ?? [];
  need(blocks.length >= 1 && blocks.length <= 100, '1 to 100 blocks');
  need(new Set(blocks.map(({ block_id }) => block_id)).size === blocks.length, 'block_id twice');
  for (const { label, hint, element } of blocks) {
    need(fits(label.text, 2000), 'label of 1 to 2000 characters');
    need(hint === undefined || fits(hint.text, 2000), 'hint of 1 to 2000 characters');
    if (element.type === 'static_select') checkSelect(element, element.action_id, problems);
    else if (element.type === 'plain_text_input') {
      const { initial_value = '', max_length = 3000 } = element as {
        initial_value?: string;
        max_length?: number;
      };
      need(initial_value.length <= max_length, 'initial_value of at most max_length characters');
    } else {
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

/** `state.values` of the view, with these values typed or chosen, by field. */
export function stateOf({ blocks }: OpenView, values: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    blocks.map(({ block_id, element: { type, action_id } }) => {
      const value = values[block_id] ?? null;
      const option = value === null ? null : { text: { type: 'plain_text', text: value }, value };
      const held = type === 'plain_text_input' ? { type, value } : { type, selected_option: option };
      return [block_id, { [action_id]: held }];
    }),
  );
}
