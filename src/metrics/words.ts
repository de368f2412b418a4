import { inUnit } from '../chart/format.ts';
import type { Gap, Unit } from '../chart/spec.ts';
import { duration, roughly } from '../deployments/card.ts';
import type { Metrics, Sample } from '../edgegap/metrics.ts';
import type { Allowance } from './series.ts';
import { stepMs, type Window } from './window.ts';

/** A peak is close to the limit if it reaches this share of the limit. */
const CLOSE = 0.9;
/** The maximum number of gaps that the text lists. If there are more gaps, the text contains only their number. */
const GAPS_TOLD = 3;
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

export interface Verdict {
  readonly text: string;
  /** Whether a person should look at the server. */
  readonly isAlarming: boolean;
}

/** The most important facts about the measurements, each in one sentence. */
export function verdictOf({ cpu, memory, throttleRate }: Metrics, allowance: Allowance): Verdict {
  const uses = [
    useOf('CPU', cpu, 'vCPU', allowance.cpu),
    useOf('Memory', memory, 'MB', allowance.memory),
  ].flatMap((use) => use ?? []);
  const close = uses.filter(({ share = 0 }) => share >= CLOSE);
  const alarms = close.map(({ name, words }) => `${name} is close to its limit: ${words}.`);
  if (throttleRate.some(({ value }) => value > 0))
    alarms.push('The CPU was held back at times, because the server wanted more than its limit.');
  if (alarms.length > 0) return { text: alarms.join(' '), isAlarming: true };
  if (uses.length === 0) return { text: 'CPU and memory were not measured.', isAlarming: false };
  const names = new Intl.ListFormat('en-GB').format(
    uses.map(({ name }, n) => (n === 0 ? name : name.toLowerCase())),
  );
  const peaks = uses.map(({ words }) => words).join(' and ');
  const isLimited = uses.every(({ share }) => share !== undefined);
  const stays = isLimited
    ? uses.length === 1
      ? ' stays within its limit'
      : ' stay within their limits'
    : '';
  return { text: `${names}${stays}: at most ${peaks}.`, isAlarming: false };
}

function useOf(name: string, samples: readonly Sample[], unit: Unit, limit: number | undefined) {
  const peak = peakOf(samples);
  if (peak === undefined) return undefined;
  if (!limit) return { name, words: inUnit(peak, unit) };
  return {
    name,
    share: peak / limit,
    words: `${Math.round((peak / limit) * 100)} % of ${inUnit(limit, unit)}`,
  };
}

function peakOf(samples: readonly Sample[]): number | undefined {
  return samples.length === 0 ? undefined : Math.max(...samples.map(({ value }) => value));
}

/** Peak and average of each measurement, by its name. */
export function summaryOf(metrics: Metrics): readonly (readonly [label: string, words: string])[] {
  const row = (label: string, samples: readonly Sample[], unit: Unit, more = ''): [string, string][] => {
    const peak = peakOf(samples);
    if (peak === undefined) return [];
    const average = samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
    return [[label, `peak ${inUnit(peak, unit)}, ${more || `average ${inUnit(average, unit)}`}`]];
  };
  return [
    ...row('CPU', metrics.cpu, 'vCPU'),
    ...row('Memory', metrics.memory, 'MB'),
    ...row('Network in', metrics.received, 'bytes/s', totalOf(metrics.receivedTotal)),
    ...row('Network out', metrics.sent, 'bytes/s', totalOf(metrics.sentTotal)),
  ];
}

/** The growth of a counter during the window. Empty if a restart has reset the counter. */
function totalOf(samples: readonly Sample[]): string {
  const grown = (samples.at(-1)?.value ?? 0) - (samples[0]?.value ?? 0);
  return samples.length > 1 && grown >= 0 ? `${inUnit(grown, 'bytes')} in all` : '';
}

/** The window and its gaps as text. All times are UTC, as on the axis of the chart. */
export function windowWords(window: Window, gaps: readonly Gap[], now: number): string {
  const { from, to, step, moves } = window;
  const span = moves ? `The last ${lengthOf(to - from)}` : `${utc(from, now)} to ${utc(to, now)} UTC`;
  return `${span}, measured every ${duration(stepMs(step))}. The times of the chart are UTC.${gapWords(gaps, now)}`;
}

/** The length of a window, as it follows the words `the last`: `hour`, or `2 h`. */
export function lengthOf(ms: number): string {
  return ms === HOUR_MS ? 'hour' : roughly(ms);
}

function gapWords(gaps: readonly Gap[], now: number): string {
  if (gaps.length === 0) return '';
  const told = gaps.slice(0, GAPS_TOLD).map(([from, to]) => `from ${utc(from, now)} to ${utc(to, now)} UTC`);
  const left = gaps.length - GAPS_TOLD;
  return ` Nothing was measured ${told.join(', ')}${left > 0 ? `, and in ${left} more gaps` : ''}.`;
}

/** Formats a time as `16:10`, or `2026-03-03 16:10` if the day is not the present day in UTC. */
function utc(at: number, now: number): string {
  const text = new Date(at).toISOString().replace('T', ' ');
  const isToday = Math.floor(at / DAY_MS) === Math.floor(now / DAY_MS);
  return text.slice(isToday ? 11 : 0, 16);
}
