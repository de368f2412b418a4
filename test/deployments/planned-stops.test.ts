import { expect, test } from 'vitest';
import type { Ending, PlannedStop } from '../../src/deployments/planned-stop.ts';
import { endEarly, PlannedStops, STOP_LATER } from '../../src/deployments/planned-stops.ts';
import type { Store } from '../../src/store/schema.ts';
import { transact } from '../../src/store/transact.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const place = { platform: 'memory', workspace: 'w', channel: 'c' };
const COUNT = 8;
const people = Array.from({ length: COUNT }, (_, index) => `p${index}`);

async function office() {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const of = (account: string) => new PlannedStops({ store, account, clock });
  const stops = of('a');
  const plan = (person: string, by = stops) =>
    by.plan(
      {
        request_id: 'r1',
        name: 'kart v1',
        at: clock.now() + 60_000,
        asker: { id: person, name: person },
        place,
        card: { ...place, message: person },
      },
      'i1',
      async () => undefined,
    );
  return { clock, store, stops, of, plan };
}

/** The title of each person's card after the last stored edit. */
async function titles(store: Store): Promise<Map<string, string>> {
  const rows = await store
    .selectFrom('outbox')
    .selectAll()
    .where('kind', '=', 'edit')
    .orderBy('id')
    .execute();
  return new Map(
    rows.map(({ target_json, message_json }) => [
      JSON.parse(target_json ?? '{}').message,
      JSON.parse(message_json).title[0],
    ]),
  );
}

const planned = (stop: PlannedStop | undefined): PlannedStop => {
  if (!stop) throw new Error('No stop is planned');
  return stop;
};

test('if several people plan to stop a server at the same moment, only one plan stays, and the other cards say so', async () => {
  const { store, stops, plan } = await office();
  const replaced = await Promise.all(people.map(async (person) => (await plan(person)).replaced?.asker.id));
  const { asker } = planned(await stops.of('r1'));
  expect(replaced.filter((id) => id === undefined)).toHaveLength(1);
  expect(new Set(replaced).size).toBe(COUNT);
  const shown = await titles(store);
  for (const person of people)
    expect(shown.get(person)).toBe(
      person === asker.id ? 'kart v1 stops later' : 'kart v1 stops at another time',
    );
});

test("if a cancellation, a planned stop and the server's end happen at the same moment, exactly one of the three takes effect", async () => {
  for (let round = 0; round < 5; round++) {
    const { clock, store, stops, plan } = await office();
    await plan('ann');
    const stop = planned(await stops.of('r1'));
    const cancels = people.map((person) => stops.cancel('r1', stop.id, person).catch(() => undefined));
    const early = transact(store, (tx) => endEarly(tx, clock, 'a', 'r1'));
    const [begun, ...cancelled] = await Promise.all([stops.begin(stop), ...cancels]);
    await early;
    const title = (await titles(store)).get('ann');
    const won = cancelled.filter((one) => one !== undefined).length;
    if (begun) expect([won, title]).toEqual([0, 'kart v1 stops later']);
    else if (won > 0) expect([won, title]).toEqual([1, 'kart v1 is not stopped']);
    else expect(title).toBe('kart v1 has already stopped');
  }
});

test('while the bot is sending a planned stop, the stop can be neither cancelled nor replaced, and has a single outcome', async () => {
  const { clock, store, stops, plan } = await office();
  await plan('ann');
  const stop = planned(await stops.of('r1'));
  expect(await stops.begin(stop)).toMatchObject({ again: false });
  await expect(stops.cancel('r1', stop.id, 'ben')).rejects.toMatchObject({ code: 'stop-under-way' });
  await expect(plan('ben')).rejects.toMatchObject({ code: 'stop-under-way' });
  expect((await titles(store)).get('ben')).toBe('ben wants to stop kart v1 later');
  await transact(store, (tx) => endEarly(tx, clock, 'a', 'r1'));
  // This call is made by the next process, after the crash.
  expect(await stops.begin(stop)).toMatchObject({ again: true });
  const failed: Ending = { kind: 'failed', why: 'No.' };
  await Promise.all(people.map(() => stops.end(stop, failed)));
  await stops.end(stop, { kind: 'early' });
  expect((await titles(store)).get('ann')).toBe('kart v1 was not stopped');
  const posts = await store.selectFrom('outbox').select('id').where('kind', '=', 'post').execute();
  expect(posts).toHaveLength(1);
  expect(await stops.begin(stop)).toBeUndefined();
  expect((await plan('ben')).replaced).toBeUndefined();
  const tasks = await store.selectFrom('tasks').select(['kind', 'key']).execute();
  expect(tasks).toEqual([{ kind: STOP_LATER, key: 'a/r1' }]);
});

test('if two accounts have a deployment with the same request_id, each deployment has its own planned stop', async () => {
  const { clock, store, stops, of, plan } = await office();
  const other = of('b');
  await plan('ann');
  expect((await plan('ben', other)).replaced).toBeUndefined();
  expect((await stops.of('r1'))?.asker.id).toBe('ann');
  await transact(store, (tx) => endEarly(tx, clock, 'b', 'r1'));
  expect(await other.of('r1')).toBeUndefined();
  expect((await stops.of('r1'))?.asker.id).toBe('ann');
});
