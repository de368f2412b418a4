import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { sleep } from '../../src/clock.ts';
import { MemoryPermits, type Permits, TRAVEL_MS, WINDOW_MS, waitOut } from '../../src/edgegap/permits.ts';
import { DOCUMENTED_LIMITS, type RateLimits, Scheduler } from '../../src/edgegap/scheduler.ts';
import type { Lane } from '../../src/edgegap/waiting-calls.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { sqliteDialect } from '../../src/store/sqlite.ts';
import { openStore } from '../../src/store/store.ts';
import { TestClock, turn } from '../support/test-clock.ts';
import { caught } from './harness.ts';
import { most } from './rate-model.ts';

/** Random numbers from 0 to 1, which are the same in every run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const at = async () => {};

describe.each(Object.entries(DOCUMENTED_LIMITS) as [keyof RateLimits, number][])(
  'the limit of calls in the bucket %s',
  (bucket, limit) => {
    it(`if many calls to Edgegap are waiting, ${limit} start at once, and the next ${limit} start a second later`, async () => {
      const clock = new TestClock();
      const scheduler = new Scheduler(clock);
      const begin = clock.now();
      const starts: number[] = [];
      const all = Promise.all(
        Array.from({ length: 3 * limit }, () =>
          scheduler.run(bucket, { lane: 'people' }, async () => void starts.push(clock.now() - begin)),
        ),
      );
      await turn();
      expect(starts).toHaveLength(limit);
      await clock.advance(1_000);
      expect(starts).toHaveLength(limit);
      await clock.advance(10);
      expect(starts).toHaveLength(2 * limit);
      await clock.advance(1_010);
      await all;
      expect(most(starts)).toBe(limit);
    });

    it.each([1, 2, 3, 4])(
      'the rate limit holds, calls for people go first, and calls start in their order (seed %i)',
      async (seed) => {
        const clock = new TestClock();
        const scheduler = new Scheduler(clock);
        const random = randoms(seed);
        const arrived: number[] = [];
        const waiting: Record<Lane, number[]> = { people: [], background: [] };
        let running = 0;
        let aborted = 0;
        const calls: Promise<unknown>[] = [];
        for (let id = 0; id < 8 * limit; id++) {
          const lane: Lane = random() < 0.3 ? 'people' : 'background';
          const giveUp = random() < 0.15 ? new AbortController() : undefined;
          if (giveUp) {
            clock.after(random() * 2_000, () => {
              const index = waiting[lane].indexOf(id);
              if (index < 0) return;
              waiting[lane].splice(index, 1);
              aborted++;
              giveUp.abort(new Error('gave up'));
            });
          }
          const travel = random() * 200;
          waiting[lane].push(id);
          calls.push(
            scheduler
              .run(bucket, { lane, signal: giveUp?.signal }, async (left) => {
                expect(waiting[lane].shift(), 'in order').toBe(id);
                if (lane === 'background') expect(waiting.people, 'people first').toEqual([]);
                running++;
                await sleep(clock, random() < 0.1 ? 1_500 : 0);
                left();
                await sleep(clock, travel);
                arrived.push(clock.now());
                await sleep(clock, random() < 0.1 ? 5_000 : random() * 100);
                running--;
              })
              .catch((error: Error) => expect(error.message).toBe('gave up')),
          );
          // A call with a permit begins before the next call arrives.
          await turn(1);
          if (random() < 0.05) await clock.advance(random() * 300);
        }
        const all = Promise.all(calls);
        for (
          let i = 0;
          i < 200 && (running > 0 || waiting.people.length + waiting.background.length > 0);
          i++
        ) {
          await clock.advance(100);
        }
        await all;
        expect(arrived).toHaveLength(8 * limit - aborted);
        expect(aborted).toBeGreaterThan(0);
        expect(most(arrived)).toBeLessThanOrEqual(limit);
      },
    );
  },
);

describe('the scheduler of calls to Edgegap', () => {
  it('calls to Edgegap that hang do not delay the next call', async () => {
    const clock = new TestClock();
    const scheduler = new Scheduler(clock, { status: 2 });
    const never = (left: () => void) => {
      left();
      return new Promise<never>(() => {});
    };
    for (let i = 0; i < 2; i++) void scheduler.run('status', { lane: 'people' }, never);
    const third = scheduler.run('status', { lane: 'people' }, async () => 'done');
    await clock.advance(WINDOW_MS + TRAVEL_MS);
    expect(await third).toBe('done');
  });

  it.each([
    [10, 2],
    [8, 2],
    [4, 1],
    [1, 0],
  ])('of %i permits, background work always leaves %i for people', async (limit, left) => {
    const scheduler = new Scheduler(new TestClock(), { list: limit });
    const started: Lane[] = [];
    const ask = (lane: Lane) =>
      void scheduler.run('list', { lane }, () => {
        started.push(lane);
        return new Promise<never>(() => {});
      });
    for (let call = 0; call < 2 * limit; call++) ask('background');
    await turn();
    for (let call = 0; call < limit; call++) ask('people');
    await turn();
    expect(started.filter((lane) => lane === 'background')).toHaveLength(limit - left);
    expect(started.filter((lane) => lane === 'people')).toHaveLength(left);
  });

  it('each bucket of calls to Edgegap has a separate rate limit', async () => {
    const scheduler = new Scheduler(new TestClock(), { deploy: 1 });
    await scheduler.run('deploy', { lane: 'people' }, at);
    void scheduler.run('deploy', { lane: 'people' }, at);
    await scheduler.run('status', { lane: 'people' }, at);
    await scheduler.run('stop', { lane: 'people' }, at);
  });

  it('if calls have no documented rate limit, only the number of simultaneous calls is limited', async () => {
    const scheduler = new Scheduler(new TestClock());
    let running = 0;
    let peak = 0;
    await Promise.all(
      Array.from({ length: 200 }, () =>
        scheduler.run('tags', { lane: 'background' }, async () => {
          peak = Math.max(peak, ++running);
          await turn(1);
          running--;
        }),
      ),
    );
    expect(peak).toBe(16);
  });

  it('a call to Edgegap that fails returns its permit', async () => {
    const clock = new TestClock();
    const scheduler = new Scheduler(clock, { list: 1 });
    const fail = async () => {
      throw new Error('no');
    };
    expect(await caught(scheduler.run('list', { lane: 'people' }, fail))).toMatchObject({ message: 'no' });
    const next = scheduler.run('list', { lane: 'people' }, async () => 'next');
    await clock.advance(1_100);
    expect(await next).toBe('next');
  });

  it('during a pause after a 429, no call gets a permit, even if the clock is set back', async () => {
    const clock = new TestClock();
    let ahead = 3 * 60 * 60_000;
    const permits = new MemoryPermits({
      now: () => clock.now() + ahead,
      after: (ms, run) => clock.after(ms, run),
    });
    await permits.pause('deploy', 1_505);
    ahead = 0;
    await permits.pause('deploy', 30_000);
    await permits.pause('deploy', 10);
    const wish = { lane: 'people', wanted: 1, limit: 40 } as const;
    expect(await permits.take('deploy', wish)).toEqual({ permits: [], waitMs: 30_000 });
    await clock.advance(30_000);
    expect((await permits.take('deploy', wish)).permits).toHaveLength(1);
  });

  it('if calls are paused several times, no call starts until the longest pause is over', async () => {
    const clock = new TestClock();
    const scheduler = new Scheduler(clock);
    await scheduler.pause('status', 2_000);
    await scheduler.pause('status', 500);
    let started = false;
    const call = scheduler.run('status', { lane: 'people' }, async () => {
      started = true;
    });
    await clock.advance(1_999);
    expect(started).toBe(false);
    await clock.advance(1);
    await call;
    expect(started).toBe(true);
  });

  it('a call that is aborted before or during its wait for a permit rejects with the given reason and never starts', async () => {
    const clock = new TestClock();
    const scheduler = new Scheduler(clock, { list: 1 });
    await scheduler.run('list', { lane: 'people' }, at);
    const reason = new Error('left');
    const never = () => Promise.reject(new Error('started'));
    expect(
      await caught(scheduler.run('list', { lane: 'people', signal: AbortSignal.abort(reason) }, never)),
    ).toBe(reason);
    const controller = new AbortController();
    const call = caught(scheduler.run('list', { lane: 'people', signal: controller.signal }, never));
    const after = scheduler.run('list', { lane: 'people' }, async () => 'after');
    await turn();
    controller.abort(reason);
    expect(await call).toBe(reason);
    await clock.advance(1_100);
    expect(await after).toBe('after');
  });

  it('the first call waits for a whole rate-limit window after a crash, but starts at once after a clean stop', async () => {
    const clock = new TestClock();
    const store = await openStore(sqliteDialect(':memory:'));
    const log = pino({ level: 'silent' });
    const start = async () => {
      const membership = new Membership({ store, shared: false, clock, log });
      const permits = new MemoryPermits(clock);
      const died = await membership.join();
      if (died) await waitOut(permits, ['list']);
      const starts: number[] = [];
      void new Scheduler(clock, {}, permits).run(
        'list',
        { lane: 'people' },
        async () => void starts.push(clock.now()),
      );
      await clock.advance(0);
      return { membership, died, starts };
    };
    const first = await start();
    expect(first).toMatchObject({ died: false, starts: [clock.now()] });
    const second = await start();
    expect(second).toMatchObject({ died: true, starts: [] });
    await clock.advance(WINDOW_MS + TRAVEL_MS - 1);
    expect(second.starts).toEqual([]);
    await clock.advance(1);
    expect(second.starts).toHaveLength(1);
    await second.membership.leave();
    expect(await start()).toMatchObject({ died: false, starts: [clock.now()] });
    await store.destroy();
  });

  it('a call for a person starts at once, even if a background call has to wait for a permit', async () => {
    const clock = new TestClock();
    const memory = new MemoryPermits(clock);
    const kept: Permits = {
      take: async (bucket, wish) =>
        wish.lane === 'people' ? memory.take(bucket, wish) : { permits: [], waitMs: 1_000 },
      pause: async () => {},
    };
    const scheduler = new Scheduler(clock, {}, kept);
    void scheduler.run('list', { lane: 'background' }, at);
    await clock.advance(100);
    expect(await scheduler.run('list', { lane: 'people' }, async () => 'begun')).toBe('begun');
  });

  it('if the last call that waits for a permit is aborted, its timer is removed', async () => {
    const clock = new TestClock();
    const scheduler = new Scheduler(clock, { list: 1 });
    await scheduler.run('list', { lane: 'people' }, at);
    const controller = new AbortController();
    const call = caught(scheduler.run('list', { lane: 'people', signal: controller.signal }, at));
    await turn();
    expect(clock.pending).toBe(1);
    controller.abort(new Error('left'));
    await call;
    expect(clock.pending).toBe(0);
  });

  it('if the permits cannot be read, all waiting calls fail, and the next call reads the permits again', async () => {
    const clock = new TestClock();
    const gone = new Error('no database');
    const take = vi.fn<Permits['take']>().mockRejectedValueOnce(gone);
    const memory = new MemoryPermits(clock);
    take.mockImplementation((bucket, wish) => memory.take(bucket, wish));
    const scheduler = new Scheduler(clock, {}, { take, pause: async () => {} });
    const call = vi.fn(at);
    const both = [
      scheduler.run('list', { lane: 'people' }, call),
      scheduler.run('list', { lane: 'background' }, call),
    ];
    expect(await Promise.all(both.map(caught))).toEqual([gone, gone]);
    expect(call).not.toHaveBeenCalled();
    await scheduler.run('list', { lane: 'people' }, call);
    expect(call).toHaveBeenCalledOnce();
  });
});
