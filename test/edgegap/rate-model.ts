import fc from 'fast-check';
import { expect } from 'vitest';
import { sleep } from '../../src/clock.ts';
import { LEAVE_MS, TRAVEL_MS, WINDOW_MS } from '../../src/edgegap/permits.ts';
import type { Scheduler } from '../../src/edgegap/scheduler.ts';
import type { Lane } from '../../src/edgegap/waiting-calls.ts';
import type { TestClock } from '../support/test-clock.ts';

/** A call in the model. All times are in milliseconds. */
interface Planned {
  readonly at: number;
  readonly lane: Lane;
  /** The process that makes the call is this number modulo the number of processes. */
  readonly process: number;
  /**
   * Three times: from the permit to the sending of the request, from the sending to the arrival at Edgegap, and from
   * the arrival to the answer.
   */
  readonly connect: number;
  readonly travel: number;
  readonly answer: number;
  /** The time after which the caller gives up the call. */
  readonly giveUp: number | undefined;
}

export interface Plan {
  readonly limit: number;
  readonly calls: readonly Planned[];
  readonly pauses: readonly { readonly at: number; readonly ms: number; readonly process: number }[];
}

export function plans(most: number): fc.Arbitrary<Plan> {
  const process = fc.nat(2);
  // Many calls often arrive at the same moment, because bursts are the hardest case for a rate limit.
  const at = fc.oneof(fc.constantFrom(0, 1, 900, 1_000, WINDOW_MS + TRAVEL_MS), fc.nat(4_000));
  return fc.record({
    limit: fc.integer({ min: 1, max: 6 }),
    calls: fc.array(
      fc.record({
        at,
        lane: fc.constantFrom<Lane>('people', 'background'),
        process,
        connect: fc.oneof(fc.constant(0), fc.nat(LEAVE_MS)),
        travel: fc.nat(TRAVEL_MS - 1),
        answer: fc.oneof(fc.constant(0), fc.nat(5_000)),
        giveUp: fc.option(fc.nat(3_000), { nil: undefined, freq: 6 }),
      }),
      { minLength: 1, maxLength: most, size: 'max' },
    ),
    pauses: fc.array(fc.record({ at, ms: fc.nat(4_000), process }), { maxLength: 3 }),
  });
}

interface Seen extends Planned {
  readonly cameAt: number;
  startedAt?: number;
  arrivedAt?: number;
  starts: number;
  gaveUp: boolean;
  end?: 'answered' | 'given up';
}

/** The largest number of `times` within one second, including both ends of the second. */
export function most(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(
    0,
    ...sorted.map((start) => sorted.filter((time) => time >= start && time <= start + 1_000).length),
  );
}

/** Makes the calls of `plan` in the rate-limit bucket `status`, and checks the rules. */
export async function carryOut(
  plan: Plan,
  clock: TestClock,
  schedulers: readonly Scheduler[],
  arrived: (now: number) => void = () => undefined,
): Promise<void> {
  const of = (process: number) => schedulers[process % schedulers.length] as Scheduler;
  const begin = clock.now();
  const seen: Seen[] = [];
  const paused: { from: number; to: number }[] = [];
  const open: Promise<void>[] = [];
  let ended = 0;
  for (const { at, ms, process } of plan.pauses)
    clock.after(at, () => {
      paused.push({ from: clock.now(), to: clock.now() + ms });
      void of(process).pause('status', ms);
    });
  for (const planned of plan.calls)
    clock.after(planned.at, () => {
      const call: Seen = { ...planned, cameAt: clock.now(), starts: 0, gaveUp: false };
      seen.push(call);
      open.push(start(call).finally(() => ended++));
    });

  async function start(call: Seen): Promise<void> {
    const abort = new AbortController();
    const reason = new Error('given up');
    if (call.giveUp !== undefined)
      clock.after(call.giveUp, () => {
        call.gaveUp ||= call.starts === 0;
        abort.abort(reason);
      });
    const turn = { lane: call.lane, signal: abort.signal };
    try {
      await of(call.process).run('status', turn, async (left) => {
        call.starts++;
        call.startedAt = clock.now();
        expect(call.gaveUp, 'a call that was given up starts').toBe(false);
        await sleep(clock, call.connect);
        left();
        await sleep(clock, call.travel);
        call.arrivedAt = clock.now();
        arrived(call.arrivedAt);
        await sleep(clock, call.answer);
      });
      call.end = 'answered';
    } catch (error) {
      if (error !== reason) throw error;
      call.end = 'given up';
    }
  }

  // Every series of calls needs much less time than this. A call that still waits afterwards is lost.
  for (let waited = 0; waited < 400_000 && (seen.length < plan.calls.length || ended < seen.length); )
    waited += await step(clock);
  expect(ended, 'calls that came to an end').toBe(plan.calls.length);
  await Promise.all(open);

  for (const call of seen) {
    expect(call.starts, 'starts of one call').toBe(call.gaveUp ? 0 : 1);
    expect(call.end).toBe(call.gaveUp ? 'given up' : 'answered');
    for (const { from, to } of paused)
      if (call.startedAt !== undefined && call.startedAt > from)
        expect(call.startedAt, 'starts in a pause').toBeGreaterThanOrEqual(to);
  }
  expect(most(seen.flatMap(({ arrivedAt }) => arrivedAt ?? [])), 'in one second').toBeLessThanOrEqual(
    plan.limit,
  );
  const started = seen.flatMap(({ startedAt, ...call }) =>
    startedAt === undefined ? [] : [{ ...call, startedAt }],
  );
  const { people = [], background = [] } = Object.groupBy(started, ({ lane }) => lane);
  for (const person of people)
    for (const work of background) {
      // A background call in a different process may have received its permit before the person's call arrived.
      const here = of(person.process) === of(work.process);
      if ((here ? work.startedAt : work.cameAt) > person.cameAt)
        expect(person.startedAt - begin, 'a person behind background work').toBeLessThanOrEqual(
          work.startedAt - begin,
        );
    }
}

async function step(clock: TestClock): Promise<number> {
  await clock.advance(100);
  return 100;
}
