import { expect, test } from 'vitest';
import { createPayloads, forgettingPayloads } from '../../src/command/payloads.ts';
import { until } from '../support/test-clock.ts';
import { openOffice } from '../work/harness.ts';

test('if the state of a button is stored for 15 minutes, only this state is deleted after 15 minutes', async () => {
  const { clock, store, process } = await openOffice();
  await process('p', { kinds: [forgettingPayloads(store)] });
  const payloads = createPayloads(store, clock, 'a');
  const brief = await payloads.keepFor(15 * 60_000, { value: 'secret' });
  const other = await payloads.keep({ page: 2 });
  await clock.advance(14 * 60_000);
  expect(await payloads.get(brief)).toEqual({ value: 'secret' });
  await clock.advance(60_000);
  await until(async () => (await payloads.get(brief)) === undefined, 'the deletion');
  expect(await payloads.get(other)).toEqual({ page: 2 });
});
