import type { ActionRef } from '../../chat/card.ts';
import type { Entry } from '../define.ts';
import type { Page } from './layout.ts';

/**
 * The name of the action in each form of a command, and in each button that opens such a form. A command file must not
 * define an action with this name.
 */
export const FORM = 'form';

/** The entry and the page to which a button or a form refers, and the key of the stored values so far. */
export interface FormRef {
  readonly word: string | undefined;
  readonly page: Page;
  /** True if the person wants to pick the application in a menu, although a preset already contains an application. */
  readonly picks: boolean;
  /** Empty if no value was given. */
  readonly key: string;
}

/**
 * The action that opens a form of this entry. Without values so far, the action needs no key. The page `pick` is the
 * menu that comes before the first page.
 */
export function formAction(
  { name, word = '' }: Pick<Entry, 'name' | 'word'>,
  key = '',
  page: Page | 'pick' = '',
): ActionRef {
  const [command = name] = name.split(' ');
  const arg = [word, page, key].join('.').replace(/\.+$/, '');
  return { command, action: FORM, arg };
}

export function formRef(arg: string): FormRef {
  const [word = '', page = '', key = ''] = arg.split('.');
  const known = page === 'all' || /^\d$/.test(page) ? (page as Page) : '';
  return { word: word || undefined, page: known, picks: page === 'pick', key };
}
