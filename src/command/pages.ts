/*
 * Lists with buttons for the next and the previous page. Each button contains a key. The payload with this key is the
 * state of the list.
 */
import type { Button, Node } from '../chat/card.ts';
import { InputError } from '../errors.ts';
import type { Action, ActionContext, Services } from './define.ts';

export interface Page {
  readonly page: number;
  readonly pages: number;
  /** The page that the person asked for. Greater than `pages` if the list has fewer pages. */
  readonly wanted: number;
}

/** The option `page` of a command. */
export const pageOption = {
  kind: 'integer',
  min: 1,
  max: 10_000,
  noField: true,
  description: 'Number of the page to show',
} as const;

/** The rows of the page `wanted`, or of the last page if the list has fewer pages. */
export function pageOf<Row>(
  all: readonly Row[],
  wanted: number,
  size: number,
): Page & { readonly rows: readonly Row[] } {
  const pages = Math.max(1, Math.ceil(all.length / size));
  const page = Math.min(wanted, pages);
  return { rows: all.slice((page - 1) * size, page * size), page, pages, wanted };
}

/**
 * The action `page` of a command, which shows a different page of the list. Throws InputError if the stored state was
 * deleted or does not contain the field `needed`.
 */
export function pageAction<State>(
  show: (context: ActionContext, state: State, page: number) => Promise<void>,
  needed?: keyof State & string,
): Action {
  const turned = async ({ action, payloads }: Pick<ActionContext, 'action' | 'payloads'>) => {
    const [, page, key = ''] = /^(\d{1,5})\.(.*)$/.exec(action.arg) ?? [];
    const state = key === '' ? {} : await payloads.get(key);
    if (!page || !state || (needed !== undefined && state[needed] === undefined))
      throw new InputError('list-old', 'This list is too old to turn its pages.', {
        hint: `Use \`${action.command}\` again.`,
      });
    return { page: Number(page), state: state as State };
  };
  return {
    permission: 'deployments.read',
    ack: 'update',
    check: async (context) => void (await turned(context)),
    async run(context) {
      const { page, state } = await turned(context);
      await show(context, state, page);
    },
  };
}

/**
 * The last nodes of a list's card: a note with the page number if there are several pages, and the buttons. `state`
 * contains everything that is needed to show the list again. `refresh` adds a button that shows the same page again.
 * `others` adds buttons that show other lists of the command. The keys of `others` are the labels of these buttons.
 */
export async function pageFoot<State extends object>(
  { payloads }: Pick<Services, 'payloads'>,
  command: string,
  state: State,
  { page, pages, wanted }: Page,
  { refresh = false, others = {} }: { refresh?: boolean; others?: Readonly<Record<string, State>> } = {},
): Promise<Node[]> {
  const missed = wanted > page ? `There is no page ${wanted}. ` : '';
  const button = async (label: string, to: number, shown: State = state): Promise<Button> => {
    const isEmpty = Object.values(shown).every((value) => value === undefined);
    const key = isEmpty ? '' : await payloads.keep(shown as Readonly<Record<string, unknown>>);
    return { label, style: 'secondary', action: { command, action: 'page', arg: `${to}.${key}` } };
  };
  const buttons = await Promise.all([
    ...(page > 1 ? [button('Previous', page - 1)] : []),
    ...(refresh ? [button('Refresh', page)] : []),
    ...(page < pages ? [button('Next', page + 1)] : []),
    ...Object.entries(others).map(([label, shown]) => button(label, 1, shown)),
  ]);
  return [
    ...(missed || pages > 1 ? [{ kind: 'note', text: [`${missed}Page ${page} of ${pages}`] } as const] : []),
    ...(buttons.length > 0 ? [{ kind: 'buttons', buttons } as const] : []),
  ];
}
