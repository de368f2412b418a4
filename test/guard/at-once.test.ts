import { expect, test } from 'vitest';
import { answered } from '../../src/command/confirm-deploy.ts';
import { createPayloads } from '../../src/command/payloads.ts';
import type { Deployment } from '../../src/deployments/deployment.ts';
import { RefusedError } from '../../src/errors.ts';
import { createGuard, type Limits } from '../../src/guard/guard.ts';
import { openWatch, type Watch } from '../deployments/watch.ts';

const HOUR = 60 * 60_000;

const order = (invocationId: string, person: string, workspace = 'w') => ({
  invocationId,
  application: 'kart',
  version: 'v1',
  plan: { users: [], place: 'Montreal', tags: [] },
  asker: { id: person, name: person },
  at: { platform: 'memory', workspace, channel: 'c' },
  card: { platform: 'memory', workspace, channel: 'c', message: invocationId },
});

/** Starts four processes on one store. If the database cannot be shared, starts only one process. */
async function processes(limits: Partial<Limits>): Promise<readonly Watch[]> {
  const one = await openWatch({ limits });
  const beside = () => openWatch({ beside: one, limits });
  return [one, await beside(), await beside(), await beside()];
}

/** Sends all deploys at the same moment, distributed over the processes. */
async function burst(watches: readonly Watch[], asks: readonly ReturnType<typeof order>[]) {
  const results = await Promise.allSettled(
    asks.map((ask, index) => watches[index % watches.length]?.deployments.deploy(ask)),
  );
  const reasons = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  for (const reason of reasons) expect(reason).toBeInstanceOf(RefusedError);
  return {
    refused: reasons as RefusedError[],
    deployed: results.flatMap((one) => (one.status === 'fulfilled' ? [one.value as Deployment] : [])),
  };
}

const asksOf = (person: string, count: number) =>
  Array.from({ length: count }, (_, index) => order(`${person} ${index}`, person));

test('if four processes receive 60 deploys at the same moment, exactly as many succeed as MAX_RUNNING allows', async () => {
  const watches = await processes({ running: 5 });
  const { deployed, refused } = await burst(watches, [...asksOf('ann', 30), ...asksOf('bob', 30)]);
  expect(deployed).toHaveLength(5);
  expect(watches[0]?.calls.filter((call) => call === 'deploy')).toHaveLength(5);
  expect(refused[0]).toMatchObject({
    code: 'limit-running',
    userMessage: '5 servers from chat run, and the limit is 5.',
  });
  expect(await watches[0]?.store.selectFrom('deployments').select('id').execute()).toHaveLength(5);
});

test('if each person sends many deploys at the same moment, exactly as many succeed as the limits per person allow', async () => {
  const watches = await processes({ runningPerPerson: 2, perHour: 3 });
  const { deployed } = await burst(watches, [
    ...asksOf('ann', 20),
    ...asksOf('bob', 20),
    ...asksOf('bob', 20).map((ask) => order(`other ${ask.invocationId}`, 'bob', 'another workspace')),
  ]);
  expect(deployed).toHaveLength(6);
  const [watch] = watches;
  for (const { requestId = '' } of deployed) {
    await watch?.deployments.learn(
      deployed.find((one) => one.requestId === requestId)?.id ?? '',
      { kind: 'terminated' },
      'asked',
    );
  }
  const more = await burst(
    watches,
    asksOf('ann', 20).map((ask) => ({ ...ask, invocationId: `more ${ask.invocationId}` })),
  );
  expect(more.deployed).toHaveLength(1);
  expect(more.refused[0]).toMatchObject({ code: 'limit-hour' });
  await watch?.clock.advance(HOUR);
  const later = await burst(
    watches,
    asksOf('ann', 20).map((ask) => ({ ...ask, invocationId: `later ${ask.invocationId}` })),
  );
  expect(later.deployed).toHaveLength(1);
});

test('if four processes get many presses of the same "Deploy" button at the same moment, only one deploy is sent', async () => {
  const watches = await processes({});
  const payloads = watches.map(({ store, clock }) => createPayloads(store, clock, 'a'));
  const key = (await payloads[0]?.keep({ order: 'kart v1' })) ?? '';
  const presses = await Promise.allSettled(
    asksOf('ann', 20).map((ask, index) =>
      watches[index % 4]?.deployments.deploy(ask, undefined, async (tx) => {
        if (!(await payloads[index % 4]?.take(key, tx))) throw answered();
      }),
    ),
  );
  expect(presses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(watches[0]?.calls.filter((call) => call === 'deploy')).toHaveLength(1);
});

test('if the platform repeats the deploy that used up the limit, the answer shows the deployment instead of a refusal', async () => {
  const watches = await processes({ running: 1 });
  const [one, other] = watches;
  const first = await one?.deployments.deploy(order('the same', 'ann'));
  expect(await other?.deployments.deploy(order('the same', 'ann'))).toMatchObject({ id: first?.id });
});

test('refused and lost deployments do not count towards MAX_RUNNING, but a lost deployment that is found again counts', async () => {
  const watch = await openWatch({ limits: { running: 2 } });
  await watch.add({ kind: 'refused', detail: 'No such version.' });
  const lost = await watch.add({ kind: 'unknown-outcome' });
  await watch.add({ kind: 'unknown-outcome' });
  await expect(watch.deployments.deploy(order('a', 'ann'))).rejects.toThrow('the limit is 2');
  await watch.deployments.learn(lost, { kind: 'not-found' }, 'asked');
  await watch.deployments.deploy(order('b', 'ann'), lost);
  await watch.deployments.learn(lost, { kind: 'accepted', requestId: 'late' }, 'asked');
  await expect(watch.deployments.deploy(order('c', 'ann'))).rejects.toThrow('3 servers from chat run');
});

test('a refusal because of a limit names no deployment of an application that is not on APP_ALLOWLIST', async () => {
  const { store, clock, add } = await openWatch();
  await add();
  const limits = { running: 1, runningPerPerson: 0, perHour: 0, confirmFrom: 0 };
  const ann = { id: 'ann', at: { platform: 'memory', workspace: 'w' } };
  const hintWith = async (allowlist: readonly string[] | undefined) => {
    const guard = createGuard({ store, clock, account: 'a', allowlist, deployLimits: limits });
    return await guard.check(ann).catch((error: RefusedError) => error.hint);
  };
  expect(await hintWith(undefined)).toContain('no request_id yet (kart v1, asked for by ann)');
  expect(await hintWith(['kart'])).toContain('kart v1');
  expect(await hintWith(['arena'])).not.toContain('kart');
});

test('if the clock was set back, deploys from a later time of the clock do not count towards MAX_DEPLOYS_PER_HOUR', async () => {
  const watch = await openWatch({ limits: { perHour: 1 } });
  watch.clock.set(5 * HOUR);
  await watch.deployments.deploy(order('a', 'ann'));
  watch.clock.set(-5 * HOUR);
  await watch.deployments.deploy(order('b', 'ann'));
  await expect(watch.deployments.deploy(order('c', 'ann'))).rejects.toThrow('within the last hour');
});
