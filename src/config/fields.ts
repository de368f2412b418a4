import { z } from 'zod';
import { lengthIn } from '../clock.ts';

const LONGEST_SHOWN = 24;

/** The format of each item of a list. */
export interface Items {
  readonly shape: RegExp;
  /** The word for an item, with its article. */
  readonly what: string;
}

/** A comma-separated list in which every item has the given shape. */
export function list({ shape, what }: Items) {
  return z
    .string()
    .transform(splitList)
    .superRefine((items, context) => checkItems(items, shape, what, context));
}

/** Like `list`, but the value may also be the word `everyone`. */
export function everyoneOr({ shape, what }: Items) {
  return z
    .string()
    .transform((value) => (/^everyone$/i.test(value) ? ('everyone' as const) : splitList(value)))
    .superRefine((value, context) => {
      if (value !== 'everyone') checkItems(value, shape, `${what}, nor the word "everyone" alone`, context);
    });
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function checkItems(
  items: readonly string[],
  shape: RegExp,
  what: string,
  context: { addIssue(issue: { code: 'custom'; message: string }): void },
): void {
  for (const item of items)
    if (!shape.test(item))
      context.addIssue({ code: 'custom', message: `holds ${shown(item)}, which is not ${what}` });
  if (items.length === 0) context.addIssue({ code: 'custom', message: 'is an empty list' });
}

/**
 * The item as the message shows it. A long item is not shown, because the item is most likely a token that belongs to a
 * different setting (tokens have 32 characters or more).
 */
function shown(item: string): string {
  return item.length > LONGEST_SHOWN ? `an item of ${item.length} characters` : `"${item}"`;
}

/** A whole number, written only in digits: `0x10` and `1e3` are mistakes. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d+$/, error).transform(Number).pipe(z.number().min(min, error).max(max, error));
}

/** The count from which the bot takes an action. `always` means 0, and `never` means infinity. */
export const countFrom = z
  .string()
  .toLowerCase()
  .regex(/^(?:never|always|[1-9]\d{0,4})$/, 'must be never, always, or a whole number from 1 to 99999')
  .transform((value) => {
    if (value === 'never') return Number.POSITIVE_INFINITY;
    return value === 'always' ? 0 : Number(value);
  });

const MOST_DAYS = 365;

/** A length of time in milliseconds, for example `90m` or `2h`. */
export function lengthOfTime() {
  const message = `must be a length of time from 1m to ${MOST_DAYS}d, for example 90m, 2h or 1d`;
  return z.string().transform((value, context) => {
    const ms = lengthIn(value);
    if (ms !== undefined && ms >= 60_000 && ms <= MOST_DAYS * 24 * 60 * 60_000) return ms;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** A number from 1 to 100, with or without the sign: `80`, `80%` or `80 %`. */
export function percentage() {
  const error = 'must be a percentage from 1 to 100, for example 80';
  const shape = z.string().regex(/^\d+ ?%?$/, error);
  return shape.transform(Number.parseFloat).pipe(z.number().min(1, error).max(100, error));
}
