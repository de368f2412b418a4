import type { Unit } from './spec.ts';

const STEPS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Formats a value for people: `0.45 vCPU`, `512 MB`, `1.5 kB/s`. A kB is 1,000 bytes, and a GB is 1,000 MB. */
export function inUnit(value: number, unit: Unit): string {
  if (unit === 'vCPU') return `${rounded(value)} vCPU`;
  if (unit === 'number') return rounded(value);
  let step = unit === 'MB' ? STEPS.indexOf('MB') : 0;
  let left = value;
  while (Math.abs(left) >= 1_000 && step < STEPS.length - 1 && !(unit === 'MB' && Math.abs(left) < 10_000)) {
    left /= 1_000;
    step++;
  }
  return `${rounded(left)} ${STEPS[step]}${unit === 'bytes/s' ? '/s' : ''}`;
}

/** Rounds to three digits, which are enough to compare values. */
function rounded(value: number): string {
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)));
}

/** Formats a time in UTC: `14:30`, or `3 Mar` if the window is longer than two days. */
export function axisTime(at: number, span: number): string {
  const date = new Date(at);
  return span > 2 * 24 * 60 * 60_000
    ? date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
    : date.toISOString().slice(11, 16);
}
