import { NOW } from './sample.ts';

const UNITS: readonly [name: string, ms: number][] = [
  ['day', 24 * 60 * 60_000],
  ['hour', 60 * 60_000],
  ['minute', 60_000],
];

/** The time as both platforms show a relative time, seen from the present of the samples: `12 minutes ago`. */
export function relative(seconds: number): string {
  const away = seconds * 1000 - NOW;
  const [unit, ms] = UNITS.find(([, size]) => Math.abs(away) >= size * 0.95) ?? [];
  if (!unit || !ms) return away > 0 ? 'in a few seconds' : 'a few seconds ago';
  const count = Math.round(Math.abs(away) / ms);
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return away > 0 ? `in ${words}` : `${words} ago`;
}

/** `3 March 2026 at 16:18`, as Discord shows a time. The reader of the gallery lives in UTC. */
export function longTime(seconds: number): string {
  const at = new Date(seconds * 1000);
  const date = at.toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  return `${date} at ${clockTime(seconds)}`;
}

/** `today at 16:18`, as Slack shows a time of the same day. */
export function shortTime(seconds: number): string {
  const isToday = Math.floor(seconds / 86_400) === Math.floor(NOW / 86_400_000);
  return isToday ? `today at ${clockTime(seconds)}` : longTime(seconds);
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}
