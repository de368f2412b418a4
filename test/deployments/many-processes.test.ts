import { sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Callbacks } from '../../src/deployments/callbacks.ts';
import { DeploymentRepository } from '../../src/deployments/repository.ts';
import { DeploymentSchedule } from '../../src/deployments/schedule.ts';
import { StoreError } from '../../src/errors.ts';
import type { Store } from '../../src/store/schema.ts';
import { transact } from '../../src/store/transact.ts';
import { suiteDatabase } from '../support/databases.ts';
import { TestClock, turn, until } from '../support/test-clock.ts';
import { accepted, openWatch, snapshot, type Watch } from './watch.ts';

const MINUTE = 60_000;

function callbacksOf({ store, repository, deployments, clock }: Watch) {
  const log: string[] = [];
  const logger = pino({ base: null }, { write: (text: string) => void log.push(text) });
  const callbacks = new Callbacks({
    store,
    repository,
    deployments: () => deployments,
    clock,
    log: logger,
  });
  onTestFinished(() => callbacks.stop());
  return { callbacks, log };
}

const body = (request_id: string, current_status = 'Status.READY') =>
  JSON.stringify({ request_id, current_status });

const trouble = () =>
  new StoreError('store-unreachable', 'I cannot reach my database.', {
    problem: 'The database broke off the connection.',
    remedy: '',
    cause: undefined,
  });

const order = (invocationId: string) => ({
  invocationId,
  application: 'kart',
  version: 'v1',
  plan: { users: [], place: 'Montreal', tags: [] },
  asker: { id: 'ann', name: 'ann' },
  at: { platform: 'memory', workspace: 'w', channel: 'c' },
  card: { platform: 'memory', workspace: 'w', channel: 'c', message: '1' },
});

test('if several news items about a deployment arrive at the same time, all of them are applied, one after the other', async () => {
  const watch = await openWatch({ callbacks: true });
  const id = await watch.add(accepted('r1'));
  await Promise.all([
    watch.deployments.learn(id, snapshot('r1', 'READY'), 'told'),
    watch.deployments.learn(id, { kind: 'stopping', by: 'ann' }, 'asked'),
    watch.deployments.learn(id, { kind: 'tags', tags: ['x'] }, 'asked'),
    watch.deployments.redraw({ id } as never),
    watch.deployments.learn(id, snapshot('r1', 'READY'), 'asked'),
  ]);
  expect(await watch.repository.byId(id)).toMatchObject({ status: 'READY', stopAskedBy: 'ann' });
  const told = await watch.told();
  // If the stop is handled first, the line about readiness is unnecessary.
  expect(told.match(/ is ready/g)?.length ?? 1).toBe(1);
  expect(told.match(/asked to stop/g)).toHaveLength(1);
});

test('two deployments never get the same request_id', async () => {
  const watch = await openWatch();
  const ids = [await watch.add(), await watch.add({ kind: 'unknown-outcome' })];
  await Promise.all(ids.map((id) => watch.deployments.learn(id, accepted('r1'), 'asked')));
  const both = await Promise.all(ids.map((id) => watch.repository.byId(id)));
  expect(both.map((one) => one?.requestId).filter((one) => one !== undefined)).toEqual(['r1']);
  expect(both.find((one) => one?.requestId === undefined)).toMatchObject({ phase: 'unknown' });
});

test('if the commit of an intent is not confirmed, the bot refuses the deploy and sends nothing to Edgegap', async () => {
  const { repository, deployments, calls, store, told } = await openWatch();
  const create = repository.create.bind(repository);
  repository.create = async (...args) => {
    await create(...args);
    throw trouble();
  };
  await expect(deployments.deploy(order('a'))).rejects.toThrow(StoreError);
  const phase = async () => (await store.selectFrom('deployments').select('phase').executeTakeFirst())?.phase;
  await until(async () => (await phase()) === 'refused', 'it to be settled');
  expect(calls).toEqual([]);
  expect(await told()).not.toContain('may have started');
});

test('if the insert of an intent arrives after the bot has given up the intent, the insert fails because the row exists', async () => {
  const { repository, deployments, calls, store } = await openWatch();
  const create = repository.create.bind(repository);
  let comeThrough = () => Promise.resolve<unknown>(undefined);
  repository.create = (...args) => {
    comeThrough = () => create(...args);
    return Promise.reject(trouble());
  };
  await expect(deployments.deploy(order('a'))).rejects.toThrow(StoreError);
  const phases = () => store.selectFrom('deployments').select('phase').execute();
  await until(async () => (await phases()).some(({ phase }) => phase === 'refused'), 'its place to be taken');
  await comeThrough();
  expect(await phases()).toEqual([{ phase: 'refused' }]);
  expect(calls).toEqual([]);
});

test.runIf(suiteDatabase === 'postgres')(
  'if the commit of an intent hangs and succeeds later, the deploy is marked as refused afterwards',
  async () => {
    const { repository, deployments, calls, store, clock, told } = await openWatch();
    const hanging = Promise.withResolvers<void>();
    onTestFinished(() => hanging.resolve());
    let late: Promise<void> = Promise.resolve();
    repository.create = async (...args) => {
      const inserted = Promise.withResolvers<void>();
      late = store.transaction().execute(async (tx) => {
        await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx);
        const within = { transaction: () => ({ execute: (work: (tx: Store) => unknown) => work(tx) }) };
        await new DeploymentRepository(within as unknown as Store, clock).create(...args);
        inserted.resolve();
        await hanging.promise;
      });
      await inserted.promise;
      throw trouble();
    };
    await expect(deployments.deploy(order('a'))).rejects.toThrow(StoreError);
    const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await until(async () => (await waiting.execute(store)).rows.length > 0, 'it to be waited for');
    hanging.resolve();
    await late;
    await until(async () => {
      await clock.advance(1_000);
      return (await store.selectFrom('deployments').select('phase').executeTakeFirst())?.phase === 'refused';
    }, 'it to be settled');
    expect(calls).toEqual([]);
    expect(await told()).not.toContain('may have started');
  },
);

test('if two processes handle the same deploy request at the same time, only one deploy is sent to Edgegap', async () => {
  const one = await openWatch();
  const other = await openWatch({ beside: one });
  const both = await Promise.all(
    [one, other].map(({ deployments }) => deployments.deploy(order('the same'))),
  );
  expect(both[0]?.id).toBe(both[1]?.id);
  expect(one.calls.filter((call) => call === 'deploy')).toHaveLength(1);
});

test('400 deploys at the same time are all stored, and each deploy is sent to Edgegap once', async () => {
  const watch = await openWatch();
  await Promise.all(
    Array.from({ length: 400 }, (_, index) => watch.deployments.deploy(order(`burst ${index}`))),
  );
  expect(watch.calls.filter((call) => call === 'deploy')).toHaveLength(400);
  const rows = await watch.store.selectFrom('deployments').select('phase').execute();
  expect(rows.filter(({ phase }) => phase === 'live')).toHaveLength(400);
});

describe('a process that counts as dead', () => {
  test('if a process counts as dead, a different process settles its intent, and the first process sends nothing', async () => {
    const one = await openWatch();
    const other = await openWatch({ beside: one });
    const id = await one.add();
    if (suiteDatabase === 'postgres') {
      await other.reconciler.start();
      await one.clock.advance(3_000);
      expect(await other.repository.byId(id)).toMatchObject({ phase: 'requesting' });
      await one.membership.leave();
      await one.clock.advance(3_000);
    } else {
      await one.membership.leave();
      await other.reconciler.start();
    }
    expect(await other.repository.byId(id)).toMatchObject({ phase: 'unknown' });
    const late = await one.deployments.deploy(order('late'));
    expect(late).toMatchObject({ phase: 'refused' });
    expect(one.calls).not.toContain('deploy');
  });

  test.runIf(suiteDatabase === 'postgres')(
    'if a process counts as dead while its deploy waits for a permit, the process does not send the deploy',
    async () => {
      const heart = new TestClock();
      const turn = Promise.withResolvers<void>();
      const other = await openWatch();
      const one = await openWatch({ beside: other, heart, turn: turn.promise });
      const slow = one.deployments.deploy(order('slow'));
      const row = () =>
        one.store
          .selectFrom('deployments')
          .select(['id', 'phase'])
          .where('invocation_id', '=', 'slow')
          .executeTakeFirst();
      await until(row, 'its intent');
      // The process is paused, and the other processes consider it dead.
      const { id: holder } = one.membership;
      await one.store.updateTable('instances').set({ until: 0 }).where('id', '=', holder).execute();
      await other.reconciler.start();
      await until(async () => (await row())?.phase === 'unknown', 'it to be settled');
      await other.clock.advance(3 * MINUTE);
      const lost = await row();
      expect(lost?.phase).toBe('lost');
      await other.deployments.deploy(order('again'), lost?.id);
      await heart.leap(3 * MINUTE);
      await until(async () => {
        await heart.advance(500);
        return one.membership.isCertain();
      }, 'certainty');
      turn.resolve();
      expect(await slow).toMatchObject({ phase: 'refused' });
      expect(one.calls.filter((call) => call === 'deploy')).toHaveLength(1);
    },
  );

  test("if Edgegap's refusal of a deploy arrives after the bot marked the outcome as unknown, the refusal becomes the outcome", async () => {
    const watch = await openWatch();
    const id = await watch.add({ kind: 'unknown-outcome' }, { kind: 'refused', detail: 'No such version.' });
    expect(await watch.repository.byId(id)).toMatchObject({ phase: 'refused' });
    await watch.reconciler.start();
    await watch.clock.advance(3 * MINUTE);
    expect(watch.calls).not.toContain('list');
  });
});

test('if several processes search for due deployments at once, each due deployment is claimed by only one process', async () => {
  const one = await openWatch();
  const other = await openWatch({ beside: one });
  const ids = await Promise.all(Array.from({ length: 30 }, () => one.add({ kind: 'unknown-outcome' })));
  await one.clock.advance(2_000);
  const looks = await Promise.all(
    [one, other, one, other].map(({ repository }) => repository.schedule.claimDue('a', 20, 30_000)),
  );
  // If two processes search at the same moment, one of them may find nothing. The next search finds the other
  // deployments.
  const taken = [...looks.flat(), ...(await one.repository.schedule.claimDue('a', 20, 30_000))];
  expect(taken.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  // The process that claimed the deployments dies. Its death only delays the calls about these deployments.
  await one.clock.advance(29_000);
  expect(await other.repository.schedule.claimDue('a', 40, 30_000)).toEqual([]);
  await one.clock.advance(1_000);
  expect(await other.repository.schedule.claimDue('a', 40, 30_000)).toHaveLength(30);
});

test.runIf(suiteDatabase === 'postgres')(
  "a process claims at most the given number of due deployments, regardless of PostgreSQL's query plan",
  async () => {
    const { add, clock, store } = await openWatch();
    await Promise.all(Array.from({ length: 5 }, () => add({ kind: 'unknown-outcome' })));
    await clock.advance(2_000);
    const claimed = await transact(store, async (tx) => {
      // With these settings, PostgreSQL uses a nested loop, which may select the due deployments again for each row.
      for (const way of ['hashjoin', 'mergejoin', 'hashagg', 'sort', 'indexscan', 'bitmapscan', 'material'])
        await sql.raw(`set local enable_${way} = off`).execute(tx);
      return await new DeploymentSchedule(tx, clock).claimDue('a', 2, 30_000);
    });
    expect(claimed).toHaveLength(2);
  },
);

test('if several processes run, only one lists the deployments, and only one line warns of missing callbacks', async () => {
  const one = await openWatch({ callbacks: true });
  const other = await openWatch({ callbacks: true, beside: one });
  await one.reconciler.start();
  await other.reconciler.start();
  await one.clock.advance(1_000);
  for (const request_id of ['r1', 'r2']) {
    one.statuses.set(request_id, 'READY');
    one.listed.push({ request_id, ready: true });
    await one.add(accepted(request_id));
  }
  await one.clock.advance(10 * MINUTE);
  const told = await one.told();
  expect(told.match(/ is ready/g)).toHaveLength(2);
  expect(told.match(/found by asking/g)).toHaveLength(1);
  const lists = one.calls.filter((call) => call === 'list').length;
  expect(lists).toBeGreaterThanOrEqual(8);
  expect(lists).toBeLessThanOrEqual(10);
});

test("if the store cannot save Edgegap's answer to a deploy, the answer is saved when the store works again", async () => {
  const watch = await openWatch();
  const lock = watch.repository.change.bind(watch.repository);
  let failures = 3;
  watch.repository.change = async (ids, work) => {
    if (failures-- > 0) throw new Error('database or disk is full');
    return await lock(ids, work);
  };
  const deployed = watch.deployments.deploy(order('full'));
  await until(async () => {
    await watch.clock.advance(1_000);
    return failures < 0;
  });
  expect(await deployed).toMatchObject({ phase: 'live', requestId: 'd1' });
  expect(watch.log.join('')).toContain('cannot be written down yet');
  expect(watch.calls.filter((call) => call === 'deploy')).toHaveLength(1);
});

test("if Edgegap's answer to a stop cannot be stored, the error says that the deployment was possibly stopped", async () => {
  const watch = await openWatch();
  watch.statuses.set('r1', 'READY');
  await watch.add(accepted('r1'));
  watch.repository.change = async () => {
    throw trouble();
  };
  const stopped = watch.deployments.stop('r1', 'ann').catch((error: unknown) => error);
  await until(() => watch.log.join('').includes('cannot be written down yet') && watch.clock.pending > 0);
  watch.deployments.close();
  expect(await stopped).toMatchObject({
    code: 'store-unreachable',
    hint: expect.stringContaining('may have been done'),
  });
});

describe('callbacks that a process stored before it died', () => {
  test('if a process dies after storing callbacks, another process handles the callbacks', async () => {
    const watch = await openWatch({ callbacks: true });
    const id = await watch.add(accepted('r1'));
    const { callbacks } = callbacksOf(watch);
    await callbacks.start();
    await watch.store
      .insertInto('callbacks')
      .values({ deployment_id: id, event: 'ready', body: body('r1'), received_at: watch.clock.now() })
      .execute();
    await watch.clock.advance(3_000);
    expect(await watch.repository.byId(id)).toMatchObject({ readyAt: undefined });
    await watch.clock.advance(5_000);
    expect(await watch.repository.byId(id)).toMatchObject({ status: 'READY' });
  });

  test('if two processes handle the stored callbacks of a dead process at the same time, each callback is reported once', async () => {
    const one = await openWatch({ callbacks: true });
    const other = await openWatch({ callbacks: true, beside: one });
    const ids = await Promise.all(Array.from({ length: 25 }, (_, index) => one.add(accepted(`r${index}`))));
    await one.store
      .insertInto('callbacks')
      .values(
        ids.map((id, index) => ({
          deployment_id: id,
          event: 'ready',
          body: body(`r${index}`),
          received_at: 1,
        })),
      )
      .execute();
    await Promise.all([one, other].map((each) => callbacksOf(each).callbacks.start()));
    expect((await one.told()).match(/ is ready/g)).toHaveLength(25);
  });

  test('a callback that cannot be handled is retried at growing intervals and does not delay other callbacks', async () => {
    const watch = await openWatch({ callbacks: true });
    const broken = await watch.add(accepted('r1'));
    const fine = await watch.add(accepted('r2'));
    await watch.store.updateTable('deployments').set({ plan_json: '{' }).where('id', '=', broken).execute();
    const { callbacks, log } = callbacksOf(watch);
    await callbacks.start();
    await Promise.all([
      callbacks.receive('ready', broken, body('r1')),
      callbacks.receive('ready', fine, body('r2')),
    ]);
    await callbacks.idle();
    expect(await watch.repository.byId(fine)).toMatchObject({ status: 'READY' });
    const tries = () => log.splice(0).filter((text) => text.includes('a callback cannot be handled')).length;
    expect(tries()).toBe(1);
    await watch.clock.advance(10 * MINUTE);
    expect(tries()).toBeLessThan(10);
    await watch.store
      .updateTable('deployments')
      .set({ plan_json: '{"tags":[]}' })
      .where('id', '=', broken)
      .execute();
    await watch.clock.advance(20 * MINUTE);
    expect(await watch.repository.byId(broken)).toMatchObject({ status: 'READY' });
  });
});

test('callbacks that arrive together are stored in a single commit, and if the commit fails, all of them are refused', async () => {
  const watch = await openWatch({ callbacks: true });
  const ids = await Promise.all(Array.from({ length: 30 }, (_, index) => watch.add(accepted(`r${index}`))));
  const { callbacks } = callbacksOf(watch);
  const secrets = await watch.repository.secretsOf(ids);
  const right = await Promise.all(ids.map((id) => callbacks.isOurs(id, secrets.get(id) ?? '')));
  expect(right).toEqual(ids.map(() => true));
  const insert = watch.store.insertInto.bind(watch.store);
  let inserts = 0;
  let broken = true;
  watch.store.insertInto = ((table: 'callbacks') => {
    if (table === 'callbacks') inserts++;
    if (broken) throw new Error('database or disk is full');
    return insert(table);
  }) as typeof watch.store.insertInto;
  const send = () => ids.map((id, index) => callbacks.receive('ready', id, body(`r${index}`)));
  const failed = await Promise.allSettled(send());
  expect(failed.map(({ status }) => status)).toEqual(ids.map(() => 'rejected'));
  expect(inserts).toBe(1);
  broken = false;
  await Promise.all(send());
  await callbacks.idle();
  await turn();
  expect(inserts).toBe(2);
  expect((await watch.told()).match(/ is ready/g)).toHaveLength(30);
});

test('a damaged deployment row prevents neither the start of the bot nor the handling of other deployments', async () => {
  const gone = await openWatch();
  const watch = await openWatch({ beside: gone });
  const damaged = [await gone.add(), await gone.add({ kind: 'unknown-outcome' })];
  const [settled, asked] = [await gone.add(), await gone.add(accepted('r1'))];
  await gone.membership.leave();
  const damage = (id: string, columns: object) =>
    watch.store.updateTable('deployments').set(columns).where('id', '=', id).execute();
  await damage(damaged[0] ?? '', { card_json: '{"platform":' });
  await damage(damaged[1] ?? '', { plan_json: '{', check_at: 0 });
  await damage(asked, { check_at: 1 });
  watch.statuses.set('r1', 'READY');
  await watch.reconciler.start();
  await watch.clock.advance(3_000);
  await until(() => watch.calls.includes('status r1'), 'the healthy one to be asked about');
  expect(await watch.repository.byId(settled)).toMatchObject({ phase: 'unknown' });
  expect(watch.log.filter((line) => line.includes('cannot be settled'))).toHaveLength(1);
});
