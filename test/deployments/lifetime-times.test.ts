import { describe, expect, onTestFinished, test } from 'vitest';
import { add, asked, HOUR, MINUTE, start, stops } from './timers.ts';
import { edgegapTime, openWatch, snapshot } from './watch.ts';

describe.each([
  ['over midnight', '2026-12-31T23:30:00Z'],
  ['over the beginning of daylight saving', '2026-03-29T00:30:00Z'],
  ['over the end of daylight saving', '2026-10-25T00:30:00Z'],
  ['over the end of February', '2028-02-28T23:30:00Z'],
])('a lifetime of one hour %s', (_, from) => {
  test('the bot stops a server with a lifetime of one hour after this hour, and asks the person ten minutes before', async () => {
    const zone = process.env.TZ;
    process.env.TZ = 'Europe/Berlin';
    onTestFinished(() => {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    });
    const watch = await openWatch();
    watch.clock.set(Date.parse(from) - watch.clock.now());
    await start(watch);
    await add(watch, HOUR);
    await watch.clock.advance(50 * MINUTE - 1);
    expect(await asked(watch)).toEqual([]);
    await watch.clock.advance(10_000);
    expect(await asked(watch)).toEqual(['ends soon']);
    await watch.clock.advance(10 * MINUTE - 10_002);
    expect(stops(watch)).toBe(0);
    await watch.clock.advance(10_000);
    expect(stops(watch)).toBe(1);
    await watch.clock.advance(HOUR);
    expect([stops(watch), await asked(watch)]).toEqual([1, ['ends soon']]);
  });
});

test('if the machine slept past the end of a lifetime, the bot stops the server once, without a question', async () => {
  const watch = await openWatch();
  await start(watch);
  await add(watch, HOUR);
  await watch.clock.leap(5 * HOUR);
  await watch.clock.advance(MINUTE);
  expect([stops(watch), await asked(watch)]).toEqual([1, []]);
});

test.each([-HOUR, HOUR])(
  'if the clock is changed by %i ms, each timer of a lifetime still fires once',
  async (jump) => {
    const watch = await openWatch();
    await start(watch);
    await add(watch, 4 * HOUR);
    await watch.clock.advance(2 * HOUR);
    watch.clock.set(jump);
    await watch.clock.advance(4 * HOUR);
    expect([stops(watch), await asked(watch)]).toEqual([1, ['ends soon']]);
  },
);

test('if a lifetime was set while the clock was hours ahead, the server is still stopped after the right time', async () => {
  const watch = await openWatch();
  watch.clock.set(6 * HOUR);
  await add(watch, HOUR);
  watch.clock.set(-6 * HOUR);
  await start(watch);
  await watch.clock.advance(HOUR - MINUTE);
  expect(stops(watch)).toBe(0);
  await watch.clock.advance(2 * MINUTE);
  expect(stops(watch)).toBe(1);
});

test('before Edgegap’s time limit, the bot asks the person only once, although Edgegap’s times differ by seconds', async () => {
  const watch = await openWatch();
  await start(watch);
  const began = watch.clock.now();
  const ready = (ms: number) => ({ max_duration: 60, start_time: edgegapTime(began + ms) });
  const id = await add(watch, 5 * HOUR, 'r1', ready(0));
  await watch.clock.advance(30 * MINUTE);
  await watch.deployments.learn(id, snapshot('r1', 'READY', ready(3_000)), 'asked');
  await watch.clock.advance(21 * MINUTE);
  await watch.deployments.learn(id, snapshot('r1', 'READY', ready(6_000)), 'asked');
  await watch.clock.advance(5 * MINUTE);
  expect(await asked(watch)).toEqual(['ends soon']);
  expect(await watch.told()).toContain('max_duration in Edgegap');
  expect(await watch.told()).not.toMatch(/Extend|Keep/);
  await watch.deployments.learn(id, snapshot('r1', 'TERMINATED'), 'asked');
  await watch.clock.advance(6 * HOUR);
  expect(stops(watch)).toBe(0);
  const timers = watch.store.selectFrom('tasks').where('kind', 'in', ['lifetime', 'end-warning']);
  expect(await timers.selectAll().where('run_at', 'is not', null).execute()).toEqual([]);
});

test('an answer cannot extend a lifetime beyond MAX_LIFETIME, and at this limit the bot offers only a stop', async () => {
  const watch = await openWatch();
  const most = 80 * MINUTE;
  await start(watch, most);
  const id = await add(watch, 40 * MINUTE);
  const began = watch.clock.now();
  const answer = (how: 'extend' | 'keep', endsAt: number) =>
    watch.deployments.prolong({ id }, { how, endsAt, most, by: 'ben', question: undefined });
  await watch.clock.advance(31 * MINUTE);
  const first = await answer('keep', began + 40 * MINUTE);
  expect(first?.plan.lifetime?.endsAt).toBe(began + most);
  await expect(answer('extend', began + 40 * MINUTE)).rejects.toMatchObject({ code: 'lifetime-answered' });
  await expect(answer('extend', began + most)).rejects.toMatchObject({ code: 'lifetime-answered' });
  await watch.clock.advance(40 * MINUTE);
  expect(await asked(watch)).toHaveLength(2);
  expect(await watch.told()).toContain('MAX_LIFETIME is reached');
  await watch.clock.advance(10 * MINUTE);
  expect(stops(watch)).toBe(1);
});

test('if a server is found running after the bot assumed its end, the server is stopped when its lifetime ends', async () => {
  const watch = await openWatch();
  await start(watch);
  const id = await add(watch, HOUR);
  const missing = { kind: 'missing' } as const;
  await watch.deployments.learn(id, missing, 'asked');
  await watch.clock.advance(MINUTE);
  await watch.deployments.learn(id, missing, 'asked');
  expect((await watch.repository.byId(id))?.phase).toBe('ended');
  await watch.deployments.learn(id, snapshot('r1', 'READY'), 'asked');
  await watch.clock.advance(2 * HOUR);
  expect(stops(watch)).toBe(1);
});
