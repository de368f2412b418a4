import { parseEdgegapTime } from '../../edgegap/schema.ts';
import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import type { Kind } from './kind.ts';

/**
 * A time that a person typed: either an instant in epoch milliseconds, or a time of day in minutes after midnight UTC.
 */
export type Moment = { readonly at: number } | { readonly minuteOfDay: number };

const DAY_MS = 24 * 60 * 60_000;

export const moment: Kind<Moment> = {
  placeholder: 'time',
  input: () => ({ type: 'text', maxLength: 40 }),
  parse(given, { name }) {
    const text = String(given).trim();
    const [, hour = '', minute = ''] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
    if (hour !== '') return { minuteOfDay: Number(hour) * 60 + Number(minute) };
    const at = parseEdgegapTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text} 00:00` : text);
    const [day = ''] = /^\d{4}-\d\d-\d\d/.exec(text) ?? [];
    // This check refuses a day such as 30 February, which Date would change to 2 March.
    if (at !== undefined && new Date(`${day}T00:00Z`).toISOString().slice(0, 10) !== day)
      throw new InputError('not-a-time', `There is no ${day}.`, { hint: 'Check the day and the month.' });
    if (at !== undefined) return { at };
    throw new InputError('not-a-time', `${name} must be a time, not ${quoted(text)}.`, {
      hint: 'Times are UTC: write 16:00, 2026-03-03 or 2026-03-03T16:00.',
    });
  },
};

/**
 * Converts a typed time to epoch milliseconds. `now` is the current time. With `from`, a time of day means the first
 * such time at or after `from`. Without `from`, a time of day means the latest such time at or before `now`.
 */
export function instantOf(moment: Moment, now: number, from?: number): number {
  if ('at' in moment) return moment.at;
  if (from !== undefined) {
    const first = from - (from % DAY_MS) + moment.minuteOfDay * 60_000;
    return first >= from ? first : first + DAY_MS;
  }
  const midnight = now - (now % DAY_MS);
  const today = midnight + moment.minuteOfDay * 60_000;
  return today <= now ? today : today - DAY_MS;
}
