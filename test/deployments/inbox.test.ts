import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Callbacks } from '../../src/deployments/callbacks.ts';
import { accepted, openWatch, type Watch } from './watch.ts';

/** What works off the callbacks of a watched Edgegap. */
function inboxOf({ store, repository, deployments, clock, reconciler }: Watch) {
  const log: string[] = [];
  const callbacks = new Callbacks({
    store,
    repository,
    deployments,
    clock,
    log: pino({ base: null }, { write: (text: string) => void log.push(text) }),
    wakeReconciler: () => reconciler.wake(),
  });
  const receive = async (id: string, request_id: string, secret?: string) => {
    const right = secret ?? (await repository.secretOf(id)) ?? '';
    const body = JSON.stringify({ request_id, current_status: 'Status.READY' });
    const taken = await callbacks.receive('ready', id, right, body);
    await callbacks.work();
    return taken;
  };
  return { receive, log };
}

test('a callback that tells of another’s deployment is not believed, also while its own is not known', async () => {
  const watch = await openWatch({ callbacks: true });
  const first = await watch.add(accepted('r1'));
  const second = await watch.add({ kind: 'unknown-outcome' }, { kind: 'not-found' });
  const { receive, log } = inboxOf(watch);
  expect(await receive(second, 'r1')).toBe(true);
  expect(await watch.repository.byId(second)).toMatchObject({ phase: 'lost', requestId: undefined });
  expect(await watch.repository.byId(first)).toMatchObject({ readyAt: undefined });
  expect(log.join('')).toContain('asking for the status');
  expect(log.join('')).not.toContain('one cannot be handled');
  // That something called back proves that it exists: it is looked for anew.
  expect(await watch.repository.byId(second)).toMatchObject({ checkAt: watch.clock.now(), checks: 0 });
});

test('one that nobody else has is its own', async () => {
  const watch = await openWatch({ callbacks: true });
  const id = await watch.add({ kind: 'unknown-outcome' });
  const { receive } = inboxOf(watch);
  expect(await receive(id, 'r9')).toBe(true);
  expect(await watch.repository.byId(id)).toMatchObject({ phase: 'live', requestId: 'r9', status: 'READY' });
});

test('one that cannot be handled does not hold up the others', async () => {
  const watch = await openWatch({ callbacks: true });
  const broken = await watch.add(accepted('r1'));
  const fine = await watch.add(accepted('r2'));
  await watch.store.updateTable('deployments').set({ plan_json: '{' }).where('id', '=', broken).execute();
  const { receive, log } = inboxOf(watch);
  expect(await receive(broken, 'r1')).toBe(true);
  await watch.clock.advance(1);
  expect(await receive(fine, 'r2')).toBe(true);
  expect(log.join('')).toContain('one cannot be handled');
  expect(await watch.repository.byId(fine)).toMatchObject({ status: 'READY' });
});

test('one with a wrong secret, or for nobody, is not taken', async () => {
  const watch = await openWatch({ callbacks: true });
  const id = await watch.add(accepted('r1'));
  const { receive } = inboxOf(watch);
  expect(await receive(id, 'r1', 'wrong')).toBe(false);
  expect(await receive(id, 'r1', '')).toBe(false);
  expect(await receive('000000000000', 'r1', '')).toBe(false);
  expect(await watch.store.selectFrom('callbacks').select('event').execute()).toEqual([]);
});
