import { NOW } from './sample.ts';

const UNITS: readonly [name: string, ms: number][] = [
  ['day', 24 * 60 * 60_000],
  ['hour', 60 * 60_000],
  ['minute', 60_000],
];

/** The relative time that both platforms show, seen from the present time of the samples: `12 minutes ago`. */
export function relative(seconds: number): string {
  const away = seconds * 1000 - NOW;
  const [unit, ms] = UNITS.find(([, size]) => Math.abs(away) >= size * 0.95) ?? [];
  if (!unit || !ms) return away > 0 ? 'in a few seconds' : 'a few seconds ago';
  const count = Math.round(Math.abs(away) / ms);
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return away > 0 ? `in ${words}` : `${words} ago`;
}

/** A time as Discord shows it: `3 March 2026 at 16:18`. The gallery uses UTC. */
export function longTime(seconds: number): string {
  const at = new Date(seconds * 1000);
  const date = at.toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  return `${date} at ${clockTime(seconds)}`;
}

/** A time of the present day as Slack shows it: `today at 16:18`. */
export function shortTime(seconds: number): string {
  const isToday = Math.floor(seconds / 86_400) === Math.floor(NOW / 86_400_000);
  return isToday ? `today at ${clockTime(seconds)}` : longTime(seconds);
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}
