import { describe, expect, test } from 'vitest';
import type { Metrics, Sample } from '../../src/edgegap/metrics.ts';
import type { Window } from '../../src/metrics/window.ts';
import { summaryOf, verdictOf, windowWords } from '../../src/metrics/words.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 2, 3, 16, 30);

const samples = (...values: readonly number[]): Sample[] =>
  values.map((value, n) => ({ at: NOW - (values.length - n) * MINUTE, value }));

const metrics = (more: Partial<Metrics> = {}): Metrics => ({
  cpu: samples(0.1, 0.4),
  throttleRate: samples(0, 0),
  throttleTotal: [],
  memory: samples(200, 300),
  received: [],
  sent: [],
  receivedTotal: [],
  sentTotal: [],
  diskReadTotal: [],
  diskWrittenTotal: [],
  ...more,
});
const LIMITS = { cpu: 0.5, memory: 512 };

describe('the verdict on the measurements of a server', () => {
  test('for a server within its limits, the verdict gives both peaks as percentages of the limits', () => {
    expect(verdictOf(metrics(), LIMITS)).toEqual({
      text: 'CPU and memory stay within their limits: at most 80 % of 0.5 vCPU and 59 % of 512 MB.',
      isAlarming: false,
    });
  });

  test('if the memory is close to its limit, the verdict begins with the memory', () => {
    expect(verdictOf(metrics({ memory: samples(200, 471) }), LIMITS)).toEqual({
      text: 'Memory is close to its limit: 92 % of 512 MB.',
      isAlarming: true,
    });
  });

  test("the verdict says if the CPU was throttled, even if the CPU's peak is not close to the limit", () => {
    const { text, isAlarming } = verdictOf(metrics({ throttleRate: samples(0, 2) }), LIMITS);
    expect(text).toMatch(/^The CPU was held back at times/);
    expect(isAlarming).toBe(true);
  });

  test('without known limits, the verdict gives the peaks and does not mention limits', () => {
    expect(verdictOf(metrics(), { cpu: undefined, memory: undefined }).text).toBe(
      'CPU and memory: at most 0.4 vCPU and 300 MB.',
    );
  });

  test('if only one kind of measurement exists, the verdict names no other kind', () => {
    expect(verdictOf(metrics({ cpu: [] }), LIMITS).text).toBe(
      'Memory stays within its limit: at most 59 % of 512 MB.',
    );
    expect(verdictOf(metrics({ cpu: [], memory: [] }), LIMITS).text).toBe(
      'CPU and memory were not measured.',
    );
  });
});

test('the summary gives the peak and the average, but for the network the total instead of the average', () => {
  const read = metrics({ received: samples(1_000, 2_000), receivedTotal: samples(0, 5_000_000) });
  expect(summaryOf(read)).toEqual([
    ['CPU', 'peak 0.4 vCPU, average 0.25 vCPU'],
    ['Memory', 'peak 300 MB, average 250 MB'],
    ['Network in', 'peak 2 kB/s, 5 MB in all'],
  ]);
});

test.each<[string, Partial<Window>, string]>([
  ['that moves', { moves: true }, 'The last hour, measured every 1 min.'],
  ['of the present day', {}, '15:30 to 16:30 UTC, measured every 1 min.'],
  [
    'that began on the day before',
    { from: NOW - 24 * 60 * MINUTE },
    '2026-03-02 16:30 to 16:30 UTC, measured every 1 min.',
  ],
])('the description of a time window %s gives each date and time only once', (_, changes, words) => {
  const window: Window = { from: NOW - 60 * MINUTE, to: NOW, step: '1m', moves: false, ...changes };
  expect(windowWords(window, [], NOW)).toBe(`${words} The times of the chart are UTC.`);
  expect(windowWords(window, [[NOW - 20 * MINUTE, NOW - 10 * MINUTE]], NOW)).toContain(
    'Nothing was measured from 16:10 to 16:20 UTC.',
  );
});
