import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Callbacks } from '../../src/deployments/callbacks.ts';
import { accepted, openWatch, type Watch } from './watch.ts';

/** The part of the bot that handles callbacks, with a fake Edgegap that records the calls. */
function inboxOf({ store, repository, deployments, clock }: Watch) {
  const log: string[] = [];
  const callbacks = new Callbacks({
    store,
    repository,
    deployments: () => deployments,
    clock,
    log: pino({ base: null }, { write: (text: string) => void log.push(text) }),
  });
  onTestFinished(() => callbacks.stop());
  const receive = async (id: string, request_id: string) => {
    await callbacks.receive('ready', id, ready(request_id));
    await callbacks.idle();
  };
  return { callbacks, receive, log };
}

const HOUR = 60 * 60_000;
const ready = (request_id: string) => JSON.stringify({ request_id, current_status: 'Status.READY' });

test("a callback with the request_id of a different deployment is ignored, even if the callback's deployment has no request_id yet", async () => {
  const watch = await openWatch({ callbacks: true });
  const first = await watch.add(accepted('r1'));
  const second = await watch.add({ kind: 'unknown-outcome' }, { kind: 'not-found' });
  const { receive, log } = inboxOf(watch);
  await receive(second, 'r1');
  expect(await watch.repository.byId(second)).toMatchObject({ phase: 'lost', requestId: undefined });
  expect(await watch.repository.byId(first)).toMatchObject({ readyAt: undefined });
  expect(log.join('')).toContain('asking for the status');
  expect(log.join('')).not.toContain('a callback cannot be handled');
  // The callback proves that the deployment exists, so the search for the deployment starts again.
  expect(await watch.repository.byId(second)).toMatchObject({ checkAt: watch.clock.now(), checks: 0 });
});

test('if two callbacks are stored in the same millisecond, readiness is reported before the end', async () => {
  const watch = await openWatch({ callbacks: true });
  const id = await watch.add(accepted('r1'));
  const { callbacks } = inboxOf(watch);
  for (const event of ['terminated', 'ready'])
    await watch.store
      .insertInto('callbacks')
      .values({
        deployment_id: id,
        event,
        body: JSON.stringify({ request_id: 'r1', current_status: event.toUpperCase() }),
        received_at: watch.clock.now(),
      })
      .execute();
  await callbacks.start();
  const told = await watch.store
    .selectFrom('outbox')
    .select('message_json')
    .where('kind', '=', 'post')
    .orderBy('id')
    .execute();
  expect(told.map(({ message_json }) => / is ready| stopped/.exec(message_json ?? '')?.[0])).toEqual([
    ' is ready',
    ' stopped',
  ]);
});

test('a deployment without a request_id gets the request_id from a callback, unless another deployment has that request_id', async () => {
  const watch = await openWatch({ callbacks: true });
  const id = await watch.add({ kind: 'unknown-outcome' });
  const { receive } = inboxOf(watch);
  await receive(id, 'r9');
  expect(await watch.repository.byId(id)).toMatchObject({
    phase: 'live',
    requestId: 'r9',
    status: 'READY',
  });
});

test('a callback that cannot be handled does not delay the other callbacks', async () => {
  const watch = await openWatch({ callbacks: true });
  const broken = await watch.add(accepted('r1'));
  const fine = await watch.add(accepted('r2'));
  await watch.store.updateTable('deployments').set({ plan_json: '{' }).where('id', '=', broken).execute();
  const { receive, log } = inboxOf(watch);
  await receive(broken, 'r1');
  await watch.clock.advance(1);
  await receive(fine, 'r2');
  expect(log.join('')).toContain('a callback cannot be handled');
  expect(await watch.repository.byId(fine)).toMatchObject({ status: 'READY' });
});

test('a callback is handled at once, even if it is stored at the moment when the previous callback is finished', async () => {
  const watch = await openWatch({ callbacks: true });
  const { callbacks } = inboxOf(watch);
  const change = watch.repository.change.bind(watch.repository);
  const insert = watch.store.insertInto.bind(watch.store);
  const send = (id: string, request: string) => callbacks.receive('ready', id, ready(request));
  // The last callback is finished some steps of the event loop after its transaction.
  for (let steps = 0; steps < 20; steps++) {
    const last = await watch.add(accepted(`last${steps}`));
    const next = await watch.add(accepted(`next${steps}`));
    const stored = Promise.withResolvers<void>();
    const moment = Promise.withResolvers<void>();
    watch.repository.change = (async (...args: Parameters<typeof change>) => {
      watch.repository.change = change;
      const result = await change(...args);
      await stored.promise;
      void (async () => {
        for (let step = 0; step < steps; step++) await undefined;
        moment.resolve();
      })();
      return result;
    }) as typeof change;
    await send(last, `last${steps}`);
    watch.store.insertInto = ((table: 'callbacks') => {
      watch.store.insertInto = insert;
      const builder = insert(table);
      return {
        values: (values: Parameters<typeof builder.values>[0]) => ({
          onConflict: (conflict: Parameters<ReturnType<typeof builder.values>['onConflict']>[0]) => ({
            async execute() {
              await builder.values(values).onConflict(conflict).execute();
              stored.resolve();
              await moment.promise;
            },
          }),
        }),
      };
    }) as unknown as typeof insert;
    await send(next, `next${steps}`);
    await callbacks.idle();
    expect(await watch.repository.byId(next), `after ${steps} steps`).toMatchObject({ status: 'READY' });
  }
});

test('the bot ignores a callback with a wrong secret or an unknown deployment', async () => {
  const watch = await openWatch({ callbacks: true });
  const id = await watch.add(accepted('r1'));
  const { callbacks } = inboxOf(watch);
  const secret = (await watch.repository.secretsOf([id])).get(id) ?? '';
  expect(await callbacks.isOurs(id, secret)).toBe(true);
  for (const [who, what] of [
    [id, 'wrong'],
    [id, ''],
    ['000000000000', ''],
    ['000000000000', secret],
    ['nobody\0', secret],
    ['', ''],
  ] as const)
    expect(await callbacks.isOurs(who, what)).toBe(false);
});

test.each([
  ['received_at', (now: number) => ({ received_at: now + 6 * HOUR })],
  ['next_at', (now: number) => ({ received_at: now, next_at: now + 6 * HOUR })],
])(
  'a stored callback is handled at the start even if its time %s is hours in the future',
  async (_, times) => {
    const watch = await openWatch({ callbacks: true });
    const { store, clock } = watch;
    const id = await watch.add(accepted('r1'));
    const { callbacks } = inboxOf(watch);
    await store
      .insertInto('callbacks')
      .values({ deployment_id: id, event: 'ready', body: ready('r1'), ...times(clock.now()) })
      .execute();
    await callbacks.start();
    await clock.advance(30_000);
    expect(await watch.told()).toContain('is ready');
  },
);

describe.each(['ERROR', 'TERMINATED'])(
  'late news of the readiness of a deployment with the status %s',
  (gone) => {
    const open = async () => {
      const watch = await openWatch({ callbacks: true });
      const id = await watch.add(accepted('r1'));
      watch.statuses.set('r1', gone);
      await watch.reconciler.start();
      const { callbacks } = inboxOf(watch);
      const body = JSON.stringify({ request_id: 'r1', current_status: `Status.${gone}` });
      return { ...watch, id, callbacks, body };
    };
    const ending = gone === 'ERROR' ? ' failed' : ' stopped"';
    const inOrder = async (told: string) => {
      expect(told.match(/ready/g)).toHaveLength(1);
      expect(told.indexOf(ending)).toBeGreaterThan(0);
      expect(told.indexOf('had become ready earlier')).toBeGreaterThan(told.indexOf(ending));
    };

    test('if the body of a ready callback already shows the end, readiness is reported once, as late news', async () => {
      const { callbacks, id, body, told } = await open();
      await callbacks.receive('ready', id, body);
      await callbacks.receive(gone === 'ERROR' ? 'error' : 'terminated', id, body);
      await callbacks.idle();
      await inOrder(await told());
    });

    test('if the bot cannot read the callback "ready", and a status poll then finds that the server has ended, the late readiness is reported once', async () => {
      const { callbacks, id, told, clock } = await open();
      await callbacks.receive('ready', id, '<html>');
      await callbacks.idle();
      await clock.advance(5 * 60_000);
      await inOrder(await told());
    });

    test('if the bot cannot read the callback "ready", and then gets the callback about the end, the late readiness is reported once', async () => {
      const { callbacks, id, body, told, clock } = await open();
      await callbacks.receive('ready', id, '<html>');
      await callbacks.receive(gone === 'ERROR' ? 'error' : 'terminated', id, body);
      await callbacks.idle();
      // If the bot handles the first callback before the second arrives, readiness is reported by a status poll.
      await clock.advance(5 * 60_000);
      await inOrder(await told());
    });
  },
);

test('a callback that is handled just before the answer to a status poll does not count as missing', async () => {
  const watch = await openWatch({ callbacks: true });
  const { repository, statuses, clock } = watch;
  const { callbacks } = inboxOf(watch);
  await watch.reconciler.start();
  const [id, other] = [await watch.add(accepted('r1')), await watch.add(accepted('r2'))];
  statuses.set('r1', 'READY').set('r2', 'DEPLOYING');
  const change = repository.change.bind(repository);
  repository.change = async (ids, work) => {
    if (!ids.includes(id)) return await change(ids, work);
    repository.change = change;
    await callbacks.receive('ready', id, ready('r1'));
    await callbacks.idle();
    return await change(ids, work);
  };
  await clock.advance(2 * 60_000);
  const told = await watch.told();
  expect(told.match(/ is ready/g)).toHaveLength(1);
  expect(told).not.toContain('found by asking');
  statuses.set('r2', 'READY');
  await repository.schedule.set(other, clock.now());
  await clock.advance(2 * 60_000);
  expect(await watch.told()).toContain('found by asking');
});

test('if a callback arrives while the bot deletes the row of the deployment, the bot deletes the callback, too', async () => {
  const watch = await openWatch({ callbacks: true });
  const id = await watch.add(accepted('r1'));
  const { callbacks } = inboxOf(watch);
  await watch.store.deleteFrom('deployments').execute();
  await callbacks.receive('terminated', id, ready('r1'));
  await callbacks.idle();
  expect(await watch.store.selectFrom('callbacks').select('event').execute()).toEqual([]);
});

test.each(['TERMINATING', 'TERMINATED'])(
  'an error callback is reported as an error even if its body only says %s',
  async (status) => {
    const watch = await openWatch({ callbacks: true });
    const id = await watch.add(accepted('r1'));
    const { callbacks } = inboxOf(watch);
    const body = { request_id: 'r1', current_status: `Status.${status}`, error: false, error_detail: 'boom' };
    await callbacks.receive('error', id, JSON.stringify(body));
    await callbacks.idle();
    expect(await watch.told()).toMatch(/ failed",": boom/);
  },
);
