/* Lists that turn their pages by buttons, on which the state of the list is kept. */
import type { Button, Node, Rich } from '../chat/card.ts';
import { InputError } from '../errors.ts';
import type { ActionContext, Services } from './define.ts';

/** Which page of a list is shown. */
export interface Page {
  readonly page: number;
  readonly pages: number;
  /** The page that was asked for: there may be fewer pages. */
  readonly wanted: number;
}

/** The option `page` of a command. */
export const pageOption = { kind: 'integer', min: 1, max: 10_000, description: 'Which page' } as const;

/** The rows of that page; of the last page where there are fewer pages. */
export function pageOf<Row>(
  all: readonly Row[],
  wanted: number,
  size: number,
): Page & { rows: readonly Row[] } {
  const pages = Math.max(1, Math.ceil(all.length / size));
  const page = Math.min(wanted, pages);
  return { rows: all.slice((page - 1) * size, page * size), page, pages, wanted };
}

/** The page and the state of a page button. Throws InputError where the state is forgotten, or has no field `needed`. */
export async function turnedPage<State>(
  { action, kept }: Pick<ActionContext, 'action' | 'kept'>,
  needed?: keyof State & string,
): Promise<{ page: number; state: State }> {
  const [, page, key = ''] = /^(\d{1,5})\.(.*)$/.exec(action.arg) ?? [];
  const state = key === '' ? {} : await kept.get(key);
  if (!page || !state || (needed !== undefined && state[needed] === undefined))
    throw new InputError('list-old', 'This list is too old to turn its pages.', {
      hint: `Use ${action.command} again.`,
    });
  return { page: Number(page), state: state as State };
}

/** Says which page is shown, where there is more than one page or the wanted page does not exist. */
export function pageNote({ page, pages, wanted }: Page): Node[] {
  const missed = wanted > page ? `There is no page ${wanted}. ` : '';
  return missed || pages > 1 ? [{ kind: 'note', text: [`${missed}Page ${page} of ${pages}`] }] : [];
}

/** Buttons for the action `page` of `command`; `state` is all that the list needs to be shown again. */
export async function pageButtons(
  { kept }: Pick<Services, 'kept'>,
  command: string,
  state: object,
  { page, more, refresh = false }: { page: number; more: boolean; refresh?: boolean },
): Promise<Node[]> {
  const isEmpty = Object.values(state).every((value) => value === undefined);
  const key = isEmpty ? '' : await kept.keep({ ...state });
  const button = (label: string, to: number): Button => ({
    label,
    style: 'secondary',
    action: { command, action: 'page', arg: `${to}.${key}` },
  });
  const buttons = [
    ...(page > 1 ? [button('Previous', page - 1)] : []),
    ...(refresh ? [button('Refresh', page)] : []),
    ...(more ? [button('Next', page + 1)] : []),
  ];
  return buttons.length > 0 ? [{ kind: 'buttons', buttons }] : [];
}

/** A row in prose, which a phone folds legibly; of a wide table a phone breaks every line. */
export function rowText(head: Rich, ...lines: readonly (readonly (string | undefined)[])[]): Node {
  const below = lines.map((parts) => parts.filter((part) => part).join(' · ')).filter((line) => line !== '');
  return { kind: 'text', text: [...head, ...below.map((line) => `\n${line}`)] };
}
