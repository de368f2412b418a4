import { expect, test } from 'vitest';
import { DeploymentRepository } from '../../src/deployments/repository.ts';
import type { News } from '../../src/deployments/state.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const DAY = 24 * 60 * 60_000;
const at = { platform: 'memory', workspace: 'w', channel: 'c' };

/** Applies news items to a deployment, in the given order. */
async function learn(repository: DeploymentRepository, id = '', ...news: readonly News[]): Promise<void> {
  for (const one of news)
    await repository.change(
      [id],
      async (tx, [before]) => before && repository.write(tx, before, one, { source: 'asked' }),
    );
}

/** Creates a deployment whose request is about to be sent. Returns its id. */
async function asked(repository: DeploymentRepository, invocationId: string): Promise<string> {
  const { deployment } = await repository.create({
    account: 'a',
    invocationId,
    application: 'app',
    version: 'v1',
    plan: { users: [], place: '', tags: [] },
    asker: { id: 'u', name: 'u' },
    at,
    card: { ...at, message: '1' },
  });
  return deployment.id;
}

test('old ended deployments are deleted with their callbacks, and deployments that possibly still run are kept', async () => {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const repository = new DeploymentRepository(store, clock);
  const ids: Record<string, string> = {};
  for (const invocationId of ['ended', 'live', 'unknown', 'refused']) {
    ids[invocationId] = await asked(repository, invocationId);
  }
  await learn(repository, ids.ended, { kind: 'accepted', requestId: 'r1' }, { kind: 'terminated' });
  await learn(repository, ids.live, { kind: 'accepted', requestId: 'r2' });
  await learn(repository, ids.unknown, { kind: 'unknown-outcome' });
  await learn(repository, ids.refused, { kind: 'refused', detail: 'no' });
  await store
    .insertInto('callbacks')
    .values(
      [ids.ended, ids.live].map((id) => ({
        deployment_id: id ?? '',
        event: 'ready',
        body: '',
        received_at: 1,
        handled_at: 1,
      })),
    )
    .execute();
  await clock.advance(DAY);
  await repository.schedule.purge(clock.now() - 2 * DAY);
  expect(await store.selectFrom('deployments').select('id').execute()).toHaveLength(4);
  await repository.schedule.purge(clock.now());
  const left = await store.selectFrom('deployments').select('invocation_id').execute();
  expect(left.map(({ invocation_id }) => invocation_id).toSorted()).toEqual(['live', 'unknown']);
  expect(await store.selectFrom('callbacks').select('deployment_id').execute()).toEqual([
    { deployment_id: ids.live },
  ]);
});

test('a lost deployment with an unhandled callback is deleted later than other lost deployments', async () => {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const repository = new DeploymentRepository(store, clock);
  const id = await asked(repository, 'i');
  for (const kind of ['unknown-outcome', 'not-found'] as const) await learn(repository, id, { kind });
  await clock.advance(31 * DAY);
  await store
    .insertInto('callbacks')
    .values({ deployment_id: id, event: 'ready', body: '{}', received_at: clock.now() })
    .execute();
  await repository.schedule.purge(clock.now() - 30 * DAY);
  expect(await store.selectFrom('callbacks').select('event').execute()).toHaveLength(1);
  // After this time, even a callback that can never be handled is deleted.
  await clock.advance(31 * DAY);
  await repository.schedule.purge(clock.now() - 30 * DAY);
  expect(await store.selectFrom('callbacks').select('event').execute()).toEqual([]);
  expect(await store.selectFrom('deployments').select('id').execute()).toEqual([]);
});
