import type { ActionRef } from '../../chat/card.ts';
import type { Entry } from '../define.ts';
import type { Page } from './layout.ts';

/**
 * The name of the action of every button that opens the form of a command, and of every such form. No command may have
 * an action of its own with this name.
 */
export const FORM = 'form';

/** The entry and the page that a button or a form stands for, and the key of the values so far. */
export interface FormRef {
  readonly word: string | undefined;
  readonly page: Page;
  /** Whether the person is to pick the option on which other choices depend, even if a preset gives the option. */
  readonly picks: boolean;
  /** Empty if no value was given. */
  readonly key: string;
}

/**
 * The action that opens a form of this entry. If there are no values so far, the action needs no key. `pick` stands for the
 * menu in front of the first page: for the menu itself, and for a button that shows the menu.
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
