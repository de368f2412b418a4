import { describe, expect, test } from 'vitest';
import { ownTag } from '../../src/edgegap/outside.ts';
import { DeploymentStatus } from '../../src/edgegap/schema.ts';
import { suiteDatabase } from '../support/databases.ts';
import { until } from '../support/test-clock.ts';
import { accepted, openWatch, snapshot } from './watch.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A ready deployment that is old enough to be known in every part of Edgegap. */
async function running(options: Parameters<typeof openWatch>[0] = {}) {
  const watch = await openWatch(options);
  watch.statuses.set('r1', 'READY');
  watch.listed.push({ request_id: 'r1', ready: true });
  const id = await watch.add(accepted('r1'), snapshot('r1', 'READY'));
  await watch.reconciler.start();
  await watch.clock.advance(5 * MINUTE);
  return { ...watch, id };
}

describe('a deployment that Edgegap suddenly does not know', () => {
  test('if Edgegap does not know a deployment, the bot asks a second time before it reports an end', async () => {
    const { clock, statuses, deployments, calls, told, repository, id } = await running();
    statuses.delete('r1');
    await deployments.learn(id, { kind: 'missing' }, 'asked');
    calls.length = 0;
    statuses.set('r1', 'READY');
    await clock.advance(29_000);
    expect(calls).not.toContain('status r1');
    await clock.advance(2_000);
    expect(calls).toContain('status r1');
    expect(await repository.byId(id)).toMatchObject({ phase: 'live', missingAt: undefined });
    expect(await told()).not.toContain(' stopped');
  });

  test('a deployment that Edgegap still does not know half a minute later counts as ended', async () => {
    const { clock, statuses, listed, calls, told } = await running();
    statuses.clear();
    listed.length = 0;
    await clock.advance(11_000);
    expect(calls.filter((call) => call === 'status r1')).toHaveLength(1);
    expect(await told()).not.toContain(' stopped');
    await clock.advance(31_000);
    expect(await told()).toContain(' stopped"," after 5 min');
  });

  test('if a deployment that counted as ended is found running, the bot posts one line that says so', async () => {
    const { clock, statuses, listed, told, repository, id } = await running({ callbacks: true });
    statuses.clear();
    listed.length = 0;
    await clock.advance(3 * MINUTE);
    expect(await repository.byId(id)).toMatchObject({ phase: 'ended' });
    statuses.set('r1', 'READY');
    await clock.advance(10 * MINUTE);
    expect(await repository.byId(id)).toMatchObject({ phase: 'live', status: 'READY', endedAt: undefined });
    const lines = await told();
    expect(lines.match(/ stopped/g)).toHaveLength(1);
    expect(lines.match(/is still running after all/g)).toHaveLength(1);
  });

  test('a deployment is polled soon even if a process with a clock an hour ahead scheduled the next poll', async () => {
    const { clock, store, statuses, calls, reconciler, add } = await openWatch({ callbacks: true });
    statuses.set('r1', 'READY');
    await add(accepted('r1'));
    await store
      .updateTable('deployments')
      .set({ check_at: clock.now() + HOUR })
      .execute();
    await reconciler.start();
    await until(() => calls.includes('status r1'), 'it to be asked about');
  });

  test('if Edgegap does not know a deployment just after the deploy, the deployment does not count as missing', async () => {
    const { clock, statuses, listed, calls, reconciler, add, told, repository } = await openWatch();
    const id = await add(accepted('r1'));
    await reconciler.start();
    await clock.advance(20_000);
    expect(calls.filter((call) => call === 'status r1').length).toBeGreaterThan(3);
    expect(await repository.byId(id)).toMatchObject({ phase: 'live', missingAt: undefined });
    statuses.set('r1', 'READY');
    listed.push({ request_id: 'r1', ready: true });
    await clock.advance(5_000);
    expect(await told()).toContain(' is ready');
    expect(await told()).not.toContain(' stopped');
  });
});

describe('a stop and the reconciler', () => {
  test('a stop is sent to Edgegap even if the deployment counts as ended, because the deployment possibly still runs', async () => {
    const { deployments, repository, statuses, calls, told, id } = await running({ callbacks: true });
    await deployments.learn(id, { kind: 'terminated' }, 'asked');
    expect(await deployments.stop('r1', 'ann')).toBe('stopping');
    expect(calls).toContain('stop r1');
    statuses.clear();
    expect(await deployments.stop('r1', 'ann')).toBe('already-terminated');
    expect(await repository.byId(id)).toMatchObject({ phase: 'ended', status: 'TERMINATED' });
    expect((await told()).match(/ stopped/g)).toHaveLength(1);
  });

  test('a stop of a deployment that Edgegap does not know succeeds, and the bot polls the deployment again', async () => {
    const { deployments, repository, statuses, listed, clock, told, id } = await running();
    statuses.clear();
    expect(await deployments.stop('r1', 'ann')).toBe('missing');
    expect(await repository.byId(id)).toMatchObject({ phase: 'live' });
    listed.length = 0;
    await clock.advance(31_000);
    expect(await repository.byId(id)).toMatchObject({ phase: 'ended' });
    expect(await deployments.stop('r1', 'ann')).toBe('already-terminated');
    expect(await told()).toContain(' stopped');
  });

  test('after a stop whose outcome is unclear, the bot polls the deployment again', async () => {
    const { deployments, repository, statuses, listed, clock, told, id, edgegap } = await running();
    edgegap.stop = async () => 'perhaps-stopped';
    expect(await deployments.stop('r1', 'ann')).toBe('perhaps-stopped');
    await clock.advance(MINUTE);
    // Edgegap's answer was wrong: the deployment is running.
    expect(await repository.byId(id)).toMatchObject({ phase: 'live', missingAt: undefined });
    expect(await told()).not.toContain(' stopped');
    await deployments.stop('r1', 'ann');
    statuses.clear();
    listed.length = 0;
    await clock.advance(MINUTE);
    expect(await told()).toContain(' stopped');
    expect(await deployments.stop('r1', 'ann')).toBe('already-terminated');
  });

  test('a stop whose outcome is unclear does not mark a new deployment, or a deployment made outside the chat, as ended', async () => {
    const { deployments, repository, add, edgegap } = await openWatch();
    edgegap.stop = async () => 'perhaps-stopped';
    const id = await add(accepted('r1'));
    for (const request_id of ['r1', 'r2'])
      expect(await deployments.stop(request_id, 'ann')).toBe('perhaps-stopped');
    expect(await repository.byId(id)).toMatchObject({ phase: 'live', missingAt: undefined });
  });

  test('if Edgegap does not yet know a deployment that was just accepted, a stop of the deployment fails', async () => {
    const { deployments, add } = await openWatch();
    await add(accepted('r1'));
    await expect(deployments.stop('r1', 'ann')).rejects.toMatchObject({
      code: 'edgegap-no-such-deployment',
    });
  });

  test.each([true, false])(
    'if Edgegap accepts a stop but the server keeps running, the bot reports this, and the stop can be repeated (callbacks: %s)',
    async (callbacks) => {
      const { deployments, repository, clock, told, card, id } = await running({ callbacks });
      await deployments.stop('r1', 'ann');
      await clock.advance(MINUTE);
      expect(await repository.byId(id)).toMatchObject({ status: 'READY', stopAskedBy: 'ann' });
      expect(await card()).toContain('{"bold":"Stopping"}');
      expect(await card()).not.toContain('"label":"Stop"');
      await clock.advance(3 * MINUTE);
      expect(await repository.byId(id)).toMatchObject({ status: 'READY', stopAskedBy: undefined });
      expect((await told()).match(/did not carry it out/g)).toHaveLength(1);
      expect(await card()).toContain('{"bold":"Ready"}');
      expect(await card()).toContain('"label":"Stop"');
      await deployments.stop('r1', 'ben');
      expect(await told()).toContain('ben asked to stop');
    },
  );
});

describe('a deployment with an unknown outcome', () => {
  test("if the outcome of a deploy is unknown, the bot recognises the deployment only by the bot's own tag", async () => {
    const { clock, listed, reconciler, add, repository } = await openWatch();
    const id = await add({ kind: 'unknown-outcome' });
    listed.push({ request_id: 'foreign', tags: ['matchmaker'] }, { request_id: 'other', tags: [] });
    await repository.schedule.set(id, clock.now());
    await reconciler.start();
    await clock.advance(5_000);
    expect(await repository.byId(id)).toMatchObject({ phase: 'unknown', requestId: undefined });
    listed.push({ request_id: 'r1', tags: ['qa', ownTag(id)] });
    await clock.advance(MINUTE);
    expect(await repository.byId(id)).toMatchObject({ phase: 'live', requestId: 'r1' });
  });
});

describe('events without a callback', () => {
  /** A deployment that has become ready, and whose status the bot is about to poll. */
  async function silent() {
    const watch = await openWatch({ callbacks: true });
    await watch.reconciler.start();
    await watch.clock.advance(1_000);
    watch.statuses.set('r1', 'READY');
    watch.listed.push({ request_id: 'r1', ready: true });
    const id = await watch.add(accepted('r1'));
    await watch.clock.advance(61_000);
    expect(watch.calls).toContain('status r1');
    expect(await watch.told()).toBe('');
    return { ...watch, id };
  }

  test('after a status poll has found an event, the bot waits ten more seconds before the callback counts as lost', async () => {
    const { clock, told, log } = await silent();
    await clock.advance(8_000);
    expect(await told()).toBe('');
    await clock.advance(3_000);
    expect(await told()).toContain('found by asking');
    expect(log.join('')).toContain('callbacks do not arrive');
  });

  test('a lost callback is reported although the first attempt to store the report failed', async () => {
    const { clock, told, log, repository } = await silent();
    const change = repository.change.bind(repository);
    let failures = 1;
    repository.change = async (ids, work) =>
      await change(ids, async (tx, deployments) => {
        const result = await work(tx, deployments);
        if (failures-- > 0) throw new Error('The process dies before the commit');
        return result;
      });
    await clock.advance(MINUTE);
    expect(failures).toBeLessThan(0);
    expect((await told()).match(/found by asking/g)).toHaveLength(1);
    expect(log.filter((text) => text.includes('callbacks do not arrive'))).toHaveLength(1);
  });

  test.each([
    ['ERROR', undefined, ' failed'],
    ['ERROR', 'TERMINATED', ' failed'],
    ['READY', 'TERMINATED', ' is ready'],
    ['READY', 'ERROR', ' is ready'],
  ])(
    'if a deployment is %s in one status poll and %s in the next, both events are reported',
    async (first, then, line) => {
      const { clock, statuses, listed, calls, reconciler, add, told } = await openWatch({ callbacks: true });
      await reconciler.start();
      await clock.advance(1_000);
      statuses.set('r1', first);
      listed.push({ request_id: 'r1', ready: first === 'READY' });
      await add(accepted('r1'));
      await clock.advance(61_000);
      expect(calls).toContain('status r1');
      if (then) statuses.set('r1', then);
      else statuses.delete('r1');
      listed.length = 0;
      await clock.advance(5 * MINUTE);
      const lines = await told();
      expect(lines.split(line)).toHaveLength(2);
      expect(lines).toContain(then === 'ERROR' ? ' failed' : ' stopped');
      expect(lines.match(/found by asking/g)).toHaveLength(1);
    },
  );

  test('an event that was found without a callback is reported before later news about the deployment', async () => {
    const { deployments, told, id, repository } = await silent();
    await deployments.learn(id, { kind: 'terminated' }, 'told');
    expect(await told()).toMatch(/ is ready.*\n.* stopped/);
    expect(await repository.byId(id)).toMatchObject({ phase: 'ended', doubted: undefined });
  });

  test('if the bot learns of the end of a deployment before its readiness, the readiness is reported as late news', async () => {
    const { clock, repository, reconciler, add, told } = await openWatch({ callbacks: true });
    await reconciler.start();
    const id = await add(accepted('r1'), { kind: 'terminated' });
    await repository.schedule.set(id, clock.now() + 10_000, {
      doubted: DeploymentStatus.parse({ request_id: 'r1', current_status: 'READY' }),
    });
    await clock.advance(12_000);
    expect((await told()).match(/had become ready earlier/g)).toHaveLength(1);
    expect(await repository.byId(id)).toMatchObject({ checkAt: undefined, doubted: undefined });
  });

  test("if an update interrupts the bot's wait for a late callback, the wait begins again", async () => {
    const { clock, store, told } = await silent();
    await store.updateTable('deployments').set({ doubted: 'ready' }).execute();
    await clock.advance(22_000);
    expect((await told()).match(/ is ready/g)).toHaveLength(1);
  });

  test('a callback that arrives shortly after a status poll has found the event does not count as lost', async () => {
    const { clock, told, log, deployments, id } = await silent();
    const { status } = snapshot('r1', 'READY') as Extract<ReturnType<typeof snapshot>, { kind: 'snapshot' }>;
    await deployments.learn(id, { kind: 'called-back', status }, 'told');
    await clock.advance(MINUTE);
    expect((await told()).match(/ is ready/g)).toHaveLength(1);
    expect(await told()).not.toContain('found by asking');
    expect(log.join('')).not.toContain('callbacks do not arrive');
  });
});

// This test takes hours of the bot's time. A bot on a shared store reads the store every second, so the test would take
// too long there.
describe.runIf(suiteDatabase === 'sqlite')('the reconciler many hours later', () => {
  test('a failed server is polled at growing intervals of at most a quarter of an hour', async () => {
    const { clock, statuses, listed, calls, reconciler, add } = await openWatch({ callbacks: true });
    statuses.set('r1', 'ERROR');
    listed.push({ request_id: 'r1' });
    await add(accepted('r1'), snapshot('r1', 'ERROR'));
    await reconciler.start();
    const asked = () => calls.splice(0).filter((call) => call === 'status r1').length;
    await clock.advance(HOUR);
    expect(asked()).toBeLessThan(10);
    await clock.advance(HOUR);
    expect(asked()).toBe(4);
  });

  test('a status poll is not made too early if it was scheduled while the clock was a minute fast', async () => {
    const { clock, store, calls, statuses, listed, reconciler, add } = await openWatch({ callbacks: true });
    statuses.set('r1', 'ERROR');
    listed.push({ request_id: 'r1' });
    await add(accepted('r1'), snapshot('r1', 'ERROR'));
    await store
      .updateTable('deployments')
      .set({ check_at: clock.now() + 16 * MINUTE })
      .execute();
    await reconciler.start();
    await clock.advance(1_000);
    expect(calls).not.toContain('status r1');
    await clock.advance(16 * MINUTE);
    expect(calls).toContain('status r1');
  });

  test('if Edgegap does not know a deployment, the bot polls at growing intervals and finally stops polling', async () => {
    const { clock, statuses, listed, calls } = await running();
    statuses.clear();
    listed.length = 0;
    await clock.advance(6 * HOUR);
    const asked = calls.filter((call) => call === 'status r1').length;
    expect(asked).toBeLessThan(15);
    await clock.advance(DAY);
    expect(calls.filter((call) => call === 'status r1')).toHaveLength(asked);
  });
});
