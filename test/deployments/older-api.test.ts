import { describe, expect, test } from 'vitest';
import type { Deployment } from '../../src/deployments/deployment.ts';
import { nextCheck } from '../../src/deployments/timing.ts';
import { fresh } from './facts.ts';
import { openStudio } from './harness.ts';

const LINE = 'deploy kart-racing v1.2 --ip 203.0.113.7 --command /bin/server';

describe('a deployment of the older API, which sends a callback only for readiness', () => {
  test("the failure of a deployment of Edgegap's older API is reported soon", async () => {
    const studio = await openStudio({
      factor: 20,
      simulator: { durations: { deploying: 24 * 60 * 60_000 } },
    });
    const run = await studio.run();
    await run.say(LINE);
    const [id = ''] = studio.simulator.deployments.keys();
    studio.simulator.fail(id, 'the image cannot be pulled');
    await studio.shown('failed: the image cannot be pulled');
    expect(studio.count('found by asking')).toBe(0);
  });

  test("if Edgegap's older API has no room, the bot finds the failed deployment and reports its failure", async () => {
    // Unlike the newer API, the older API does not name the failed deployment that it leaves behind.
    const studio = await openStudio({ factor: 60 });
    const run = await studio.run();
    await run.say('deploy trouble no-capacity --ip 203.0.113.7 --command /bin/server');
    await studio.shown(/failed: No edge server has room/);
    expect(studio.simulator.deployments.size).toBe(1);
  });

  test("the bot reports the failure and the end of a server of Edgegap's older API, although no callbacks report them", async () => {
    const studio = await openStudio({ factor: 20 });
    const run = await studio.run();
    await run.say(LINE);
    await studio.shown(' is ready');
    const [id = ''] = studio.simulator.deployments.keys();
    studio.simulator.fail(id, 'the game crashed');
    await studio.shown('failed: the game crashed');
    studio.simulator.terminate(id);
    await studio.shown(' stopped');
    expect(studio.simulator.callbacks.map(({ event }) => event)).toEqual(['ready']);
    expect(studio.count('found by asking')).toBe(0);
  });

  test("if the ready callback of Edgegap's older API does not arrive, the channel learns that callbacks do not arrive", async () => {
    const studio = await openStudio({ factor: 60 });
    const run = await studio.run();
    studio.simulator.faults.next({ callback: 'ready' }, { kind: 'drop' });
    await run.say(LINE);
    await studio.shown(/is ready.*found by asking/);
  });

  test("the bot polls a ready server of Edgegap's older API as often as a bot without PUBLIC_URL does", () => {
    const now = 1_000_000;
    const ready = { ...fresh, phase: 'live', status: 'READY', createdAt: 0 } as unknown as Deployment;
    const usual = { ...ready, plan: { users: [], place: '', tags: [] } };
    const older = { ...usual, plan: { ...usual.plan, legacy: { command: '/bin/server' } } };
    expect(nextCheck(usual, now, true)).toBeUndefined();
    expect(nextCheck(older, now, true)).toBe(now + 15_000);
    const stopped = { stopAskedBy: 'Ada', stopAskedAt: now };
    expect(nextCheck({ ...older, ...stopped }, now, true)).toBe(
      nextCheck({ ...usual, ...stopped }, now, false),
    );
  });
});
