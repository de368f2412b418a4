import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import { beginningWith } from './checked-text.ts';
import type { Kind } from './kind.ts';

/** Ten years. A longer duration is taken for a slip. */
const MOST_DAYS = 10 * 365;
const MINUTES = { s: 1 / 60, m: 1, h: 60, d: 24 * 60, w: 7 * 24 * 60 } as const;

/**
 * A length of time in milliseconds, typed for example as `30m`, `2h`, `1h30m` or `2 days`. `mostDays` is the greatest
 * length in days.
 */
export const duration: Kind<number, { readonly examples?: readonly string[]; readonly mostDays?: number }> = {
  placeholder: '2h',
  input: () => ({ type: 'text', maxLength: 40 }),
  parse(given, { name, mostDays = MOST_DAYS }) {
    const text = String(given).trim().toLowerCase();
    const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,3})?)\s*(w|d|h|m|s)[a-z]*[\s,]*/g)];
    const minutes = parts.reduce(
      (sum, [, count, unit]) => sum + Number(count) * MINUTES[unit as keyof typeof MINUTES],
      0,
    );
    const most = mostDays === MOST_DAYS ? 'ten years' : `${mostDays} days`;
    const refuse = (code: string, problem: string) => {
      throw new InputError(code, `${name} ${problem}, not ${quoted(String(given))}.`, {
        hint: `Write 30m, 2h, 1h30m, 2d or 1w: from one minute to ${most}.`,
      });
    };
    if (text === '' || parts.map(([whole]) => whole).join('') !== text)
      refuse('not-a-duration', 'must be a length of time');
    if (minutes < 1) refuse('duration-short', 'must be at least one minute');
    if (minutes > mostDays * MINUTES.d) refuse('duration-long', `may be at most ${most}`);
    return minutes * 60_000;
  },
  suggest: async ({ typed, fields: { examples = ['15m', '1h', '3h', '24h'] } }) =>
    beginningWith(typed, examples),
};
