import fc from 'fast-check';
import { test } from 'vitest';
import { Scheduler } from '../../src/edgegap/scheduler.ts';
import { TestClock } from '../support/test-clock.ts';
import { carryOut, plans } from './rate-model.ts';

test('for any series of calls, the rate limit holds, calls for people go first, and each call starts once', async () => {
  await fc.assert(
    fc.asyncProperty(plans(60), async (plan) => {
      const clock = new TestClock();
      await carryOut(plan, clock, [new Scheduler(clock, { status: plan.limit })]);
    }),
    { numRuns: 150 },
  );
});
