import type { Entry } from '../define.ts';
import type { Options } from '../kinds/kind.ts';
import type { FormLayout } from './form-layout.ts';

/** The number of options on a page if the command has no layout. Discord's forms have at most five fields. */
const PAGE = 5;

/**
 * A part of a form that can be opened on its own. The empty string is the first part, a number is a group of further
 * options, and `all` is the whole form.
 */
export type Page = '' | 'all' | `${number}`;

export interface Group {
  readonly title: string;
  readonly options: readonly string[];
}

export interface Layout {
  readonly title: string;
  readonly submit: string;
  readonly pick: string | undefined;
  readonly first: readonly string[];
  readonly more: readonly Group[];
}

/**
 * The layout of an entry. If the command has no layout, the form shows the options in the order of the command file.
 */
export function layoutOf({ name, layout, options }: Pick<Entry, 'name' | 'layout' | 'options'>): Layout {
  const words = inWords(name);
  const { title = words, submit = words, pick, first, more } = layout ?? byOrder(options);
  const groups = Object.entries(more ?? {}).map(([heading, names]) => ({ title: heading, options: names }));
  return { title, submit, pick, first, more: groups };
}

function byOrder(options: Options): FormLayout {
  const names = Object.keys(options).filter((name) => !options[name]?.noField);
  const pages = Array.from({ length: Math.ceil(names.length / PAGE) }, (_, page) =>
    names.slice(page * PAGE, (page + 1) * PAGE),
  );
  const [first = [], ...rest] = pages;
  const more = Object.fromEntries(
    rest.map((page, index) => [index === 0 ? 'More options' : `More options ${index + 1}`, page]),
  );
  return { first, more };
}

/**
 * The options of a page. Without `live`, the first page leaves out the option `pick`, because the person has already
 * picked its value from a menu.
 */
export function optionsOn({ pick, first, more }: Layout, page: Page, live: boolean): readonly string[] {
  if (page === 'all') return [...first, ...more.flatMap(({ options }) => options)];
  if (page !== '') return more[Number(page) - 1]?.options ?? [];
  return live ? first : first.filter((name) => name !== pick);
}

/**
 * Returns `page` if the form has this page, and the first page if not. For example, a button of an older version of the
 * bot may name a page that no longer exists.
 */
export function knownPage({ more }: Layout, page: Page): Page {
  return page === 'all' || more[Number(page) - 1] ? page : '';
}

/** The page that contains the option. */
export function pageWith({ more }: Layout, option: string | undefined): Page {
  const index = more.findIndex(({ options }) => option !== undefined && options.includes(option));
  return index === -1 ? '' : `${index + 1}`;
}

/** `older-than` becomes `Older than`. */
export function inWords(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');
}
