import { expect, test } from 'vitest';
import { createAgedCache } from '../../../src/adapters/slack/aged-cache.ts';
import { TestClock } from '../../support/test-clock.ts';

test('the age of a cached answer stays correct even if the clock is set back by hours', async () => {
  const clock = new TestClock();
  let groups: readonly string[] = ['operators'];
  const cache = createAgedCache(clock, async () => groups);
  const fresh = () => cache.get('ann', { maxAge: 5_000, staleAge: 0 });
  expect(await fresh()).toEqual(['operators']);
  clock.set(-6 * 60 * 60_000);
  groups = [];
  await clock.advance(5_000);
  expect(await fresh()).toEqual(['operators']);
  await clock.advance(1);
  expect(await fresh()).toEqual([]);
});
