import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ItemState } from '../../src/bulk/plan.ts';
import { Plans, purgePlans } from '../../src/bulk/plans.ts';
import { carryingOut } from '../../src/bulk/work.ts';
import { TakenOver } from '../../src/command/invocations.ts';
import { openWatch } from '../deployments/watch.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const AT = { platform: 'memory', workspace: 'w', channel: 'c' };
const ann = { id: 'ann', name: 'Ann', at: AT };
const card = { ...AT, message: '1' };
const order = { command: 'bulk-stop', change: { kind: 'stop' }, filter: {}, words: '', asker: ann } as const;
const targets = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ request_id: `r${n}`, cells: [] }));

async function open(conclude: () => Promise<void> = async () => undefined) {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const plansOf = (account: string) => new Plans({ store, clock, account, conclude });
  const tasks = async () => (await store.selectFrom('tasks').select(['kind', 'key']).execute()) as object[];
  return { clock, store, plans: plansOf('a'), other: plansOf('b'), tasks };
}

test('if another process has taken over the confirmation of a bulk plan, the first process does not begin the plan', async () => {
  const { plans, tasks } = await open(async () => {
    throw new TakenOver();
  });
  const id = await plans.create(order, targets(1));
  await expect(plans.confirm(id, 'i', card)).rejects.toThrow(TakenOver);
  expect(await plans.running()).toEqual([]);
  expect(await tasks()).toEqual([]);
  expect((await plans.asked(id, ann)).count).toBe(1);
});

test('if a bulk plan is confirmed many times at the same moment, the plan begins only once', async () => {
  const { plans, tasks } = await open();
  const id = await plans.create(order, targets(3));
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => plans.confirm(id, `i${n}`, card)),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect((await plans.running()).map((plan) => plan.id)).toEqual([id]);
  expect(await tasks()).toEqual([{ kind: 'bulk', key: 'a' }]);
  await expect(plans.cancel(id)).rejects.toThrow('answered already');
});

test('a bulk plan is hidden from other accounts and from other people', async () => {
  const { plans, other } = await open();
  const id = await plans.create(order, targets(1));
  await expect(other.asked(id, ann)).rejects.toThrow('answered already');
  await expect(other.confirm(id, 'i', card)).rejects.toThrow('answered already');
  await expect(plans.asked(id, { ...ann, id: 'bob' })).rejects.toThrow('answered already');
  const elsewhere = { ...ann, at: { ...AT, workspace: 'another' } };
  await expect(plans.asked(id, elsewhere)).rejects.toThrow('answered already');
  expect(await other.failed(id)).toBeUndefined();
});

test('a bulk plan of thousands of deployments keeps the order of the deployments', async () => {
  const { plans } = await open();
  const id = await plans.create(order, targets(2_345));
  const items = await plans.items(id);
  expect(items.map(({ request_id }) => request_id)).toEqual(
    targets(2_345).map(({ request_id }) => request_id),
  );
});

/** Carries out a plan step by step. Returns the title of the plan's card after each step. */
async function titlesOf(count: number, ...steps: [from: ItemState, ...results: [number, ItemState][]][]) {
  const { store, plans } = await open();
  await plans.confirm(await plans.create(order, targets(count)), 'i', card);
  const titles: string[][] = [];
  for (const [from, ...results] of steps) {
    const [plan] = await plans.running();
    if (!plan) throw new Error('The plan is over.');
    const written = results.map(([n, state]) => ({ request_id: `r${n}`, state, reason: 'a reason' }));
    await plans.record(plan, from, written);
    const edits = await store.deleteFrom('outbox').returning('message_json').execute();
    titles.push(edits.map(({ message_json }) => JSON.parse(message_json).title.join('')));
  }
  return titles;
}

test("the title of a running plan's card counts the changed deployments as done, and also names the failed deployments", async () => {
  const steps = titlesOf(
    4,
    ['planned', [0, 'left-out'], [1, 'sending'], [2, 'sending']],
    ['sending', [1, 'done'], [2, 'failed']],
    ['planned', [3, 'sending']],
    ['sending', [3, 'done']],
  );
  expect(await steps).toEqual([
    ['Stopping 0 of 4 servers, 1 left out'],
    ['Stopping 1 of 4 servers, 1 left out, 1 failed'],
    [],
    ['Stopped 2 of 4 servers, 1 left out, 1 failed'],
  ]);
});

test('the card of a plan for a single deployment does not say “deployments”', async () => {
  const steps = titlesOf(1, ['planned', [0, 'sending']], ['sending', [0, 'done']]);
  expect(await steps).toEqual([['Stopping 0 of 1 server'], ['Stopped 1 server']]);
});

test('an old bulk plan is deleted with its items, but a plan in progress is kept', async () => {
  const { clock, store, plans } = await open();
  const [asked, running] = [await plans.create(order, targets(2)), await plans.create(order, targets(2))];
  await plans.confirm(running, 'i', card);
  expect(await purgePlans(store, clock.now())).toBe(false);
  expect(await plans.items(asked)).toHaveLength(2);
  expect(await purgePlans(store, clock.now() + 1)).toBe(false);
  expect(await plans.items(asked)).toEqual([]);
  expect(await plans.items(running)).toHaveLength(2);
});

test('with READ_ONLY, the bot gives up a bulk plan that was confirmed earlier, and the card names every deployment', async () => {
  const { clock, store, deployments, edgegap: api, calls } = await openWatch();
  const plans = new Plans({ store, clock, account: 'a', conclude: async () => undefined });
  const id = await plans.create(order, targets(2));
  await plans.confirm(id, 'i', card);
  const log = pino({ level: 'silent' });
  const kind = carryingOut({
    accountOf: () => ({ api, deployments, plans, clock, beforeStop: async () => undefined }),
    readOnly: true,
    log,
  });
  const { signal } = new AbortController();
  expect(await kind.run({ key: 'a', account: 'a', payload: undefined, signal })).toBeUndefined();
  expect(calls).toEqual([]);
  expect(await plans.running()).toEqual([]);
  const reason = 'I am set to read-only now';
  expect(await plans.items(id)).toMatchObject([
    { state: 'failed', reason },
    { state: 'failed', reason },
  ]);
});
