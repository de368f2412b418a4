import { expect, test } from 'vitest';
import { Invocations } from '../../src/command/invocations.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const DAY = 24 * 60 * 60_000;
const at = { platform: 'memory', workspace: 'w', channel: 'c' };
const person = { id: 'u', name: 'u', home: true, guest: false, admin: false, groups: [] };

async function open() {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const invocations = new Invocations(store, clock);
  const begin = (id: string) => invocations.begin({ id, at, person, what: 'list', changes: false });
  const kept = async () => {
    const rows = await store.selectFrom('invocations').select('id').orderBy('id').execute();
    return rows.map(({ id }) => id);
  };
  return { clock, invocations, begin, kept };
}

test('an invocation is taken once, also after it has ended', async () => {
  const { invocations, begin } = await open();
  expect([await begin('1'), await begin('1')]).toEqual([true, false]);
  await invocations.finish('1', 'done');
  expect(await begin('1')).toBe(false);
});

test('old invocations are forgotten while the bot runs; recent and unfinished ones are not', async () => {
  const { clock, invocations, begin, kept } = await open();
  for (const id of ['done', 'failed', 'running']) await begin(id);
  await invocations.finish('done', 'done');
  await invocations.finish('failed', 'failed');
  await clock.advance(6 * DAY);
  await begin('recent');
  await invocations.finish('recent', 'done');
  expect(await kept()).toEqual(['done', 'failed', 'recent', 'running']);
  await clock.advance(2 * DAY);
  await begin('today');
  expect(await kept()).toEqual(['recent', 'running', 'today']);
});
