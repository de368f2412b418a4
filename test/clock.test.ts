import { describe, expect, test } from 'vitest';
import { ageOf, CLOCKS_APART_MS, farthest, stopwatch } from '../src/clock.ts';
import { TestClock } from './support/test-clock.ts';

const HOUR = 60 * 60_000;

test('a time that is farther in the future than two clocks can differ counts as long past', () => {
  const now = 1_000_000;
  expect(ageOf(now - 5, now)).toBe(5);
  expect(ageOf(now + CLOCKS_APART_MS, now)).toBe(-CLOCKS_APART_MS);
  expect(ageOf(now + CLOCKS_APART_MS + 1, now)).toBe(Number.POSITIVE_INFINITY);
  expect(farthest(now, HOUR)).toBe(now + HOUR + CLOCKS_APART_MS);
});

describe('a stopwatch', () => {
  test('a stopwatch keeps running when the time of day is set back', async () => {
    const clock = new TestClock();
    const passedMs = stopwatch(clock);
    clock.set(-3 * HOUR);
    await clock.advance(1_000);
    expect(passedMs()).toBe(1_000);
  });

  test('a stopwatch includes the time during which the machine slept, even if the monotonic clock stood still', () => {
    const clock = new TestClock();
    const passedMs = stopwatch(clock);
    clock.set(HOUR);
    expect(passedMs()).toBe(HOUR);
  });
});
