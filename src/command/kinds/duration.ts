import { lengthIn } from '../../clock.ts';
import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import { bestNames } from '../best-matches.ts';
import type { Kind } from './kind.ts';

/** Ten years. A longer duration is probably a typing error, so the bot refuses it. */
const MOST_DAYS = 10 * 365;
const DAY_MS = 24 * 60 * 60_000;
const MINUTE_MS = 60_000;

/**
 * A length of time in milliseconds. People type for example `30m`, `2h`, `1h30m` or `2 days`. `mostDays` is the maximum
 * length in days.
 */
export const duration: Kind<number, { readonly examples?: readonly string[]; readonly mostDays?: number }> = {
  placeholder: '2h',
  input: () => ({ type: 'text', maxLength: 40 }),
  parse(given, { name, mostDays = MOST_DAYS }) {
    const ms = lengthIn(String(given));
    const refuse = (code: string, problem: string) =>
      new InputError(code, `${name} ${problem}, not ${quoted(String(given))}.`, {
        hint: `Write 30m, 2h, 1h30m, 2d or 1w: from one minute to ${inWords(mostDays)}.`,
      });
    if (ms === undefined) throw refuse('not-a-duration', 'must be a length of time');
    if (ms < MINUTE_MS) throw refuse('duration-short', 'must be at least one minute');
    if (ms > mostDays * DAY_MS) throw refuse('duration-long', `may be at most ${inWords(mostDays)}`);
    return ms;
  },
  suggest: async ({ typed, fields: { examples = ['15m', '1h', '3h', '24h'] } }) => bestNames(typed, examples),
};

function inWords(days: number): string {
  if (days === MOST_DAYS) return 'ten years';
  return days < 1 ? `${days * 24} hours` : `${days} days`;
}
