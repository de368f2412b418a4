import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import type { CallbackFault, RequestFault } from '../../src/simulator/faults.ts';

/** What a person does: types a command, or presses the newest button with this label. */
export type Deed =
  | { readonly kind: 'deploy'; readonly application: string; readonly version: string }
  | { readonly kind: 'command'; readonly name: 'list' | 'help' }
  /** `pick` is a number from 0 to 1 that selects the deployment. */
  | { readonly kind: 'about'; readonly name: 'status' | 'logs' | 'stop' | 'tags'; readonly pick: number }
  | { readonly kind: 'press'; readonly label: string; readonly pick: number };

/** A request of a person. All times are in real milliseconds. `gapMs` is the time since the previous request. */
export interface Ask {
  readonly gapMs: number;
  readonly persona: 'operator' | 'admin' | 'reader' | 'member';
  readonly deed: Deed;
  /** The platform repeats the request after this time. */
  readonly againAfterMs: number | null;
  /** Whether the person sends the request twice. */
  readonly double: boolean;
  /** Whether the person sends the request even if no process is running. */
  readonly blind: boolean;
}

export interface Kill {
  readonly gapMs: number;
  /** The number of requests between the previous kill and this kill, regardless of how long the requests take. */
  readonly asks: number;
  readonly victim: number;
  readonly signal: 'SIGKILL' | 'SIGTERM';
  /**
   * Whether the time starts when the process is launched. In this case, the kill can happen before the start is
   * complete.
   */
  readonly early: boolean;
  /** If set, the kill waits for the next request of this kind to take effect, but only for a limited time. */
  readonly moment: Moment | null;
  /** The delay after this request. The answer can have arrived by then, but is possibly not stored yet. */
  readonly lagMs: number;
  readonly pauseMs: number;
}

export type Moment = 'deploy' | 'post' | 'edit' | 'answer' | 'callback';

/** An event that happens to a server by itself. */
export interface Mishap {
  readonly gapMs: number;
  readonly kind: 'ends' | 'crashes' | 'restarts';
  readonly pick: number;
}

/** A fault that affects a request or its answer. */
export type Bump =
  | { readonly kind: 'reset' | 'unavailable'; readonly when: 'before' | 'after' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'too-many'; readonly retryAfter: number }
  | { readonly kind: 'broken' };

/** A break of a long-lived connection. */
export interface Cut {
  readonly gapMs: number;
  readonly victim: number;
  /** How long the connection to the database does not work. */
  readonly awayMs: number;
  readonly how: 'drop' | 'ask';
}

/** All random decisions of a run. They are drawn before the run begins. */
export interface Schedule {
  readonly kills: readonly Kill[];
  readonly asks: readonly Ask[];
  readonly mishaps: readonly Mishap[];
  readonly gatewayCuts: readonly Cut[];
  readonly databaseCuts: readonly Cut[];
  /** The requests of each kind get the faults of the list in order. After the last fault, the list starts again. */
  readonly edgegap: readonly (RequestFault | null)[];
  readonly callbacks: readonly (CallbackFault | null)[];
  readonly door: readonly (Bump | null)[];
  readonly chat: readonly (Bump | null)[];
}

/** A schedule without any random fault. */
export const clearSky: Schedule = {
  kills: [],
  asks: [],
  mishaps: [],
  gatewayCuts: [],
  databaseCuts: [],
  edgegap: [null],
  callbacks: [null],
  door: [null],
  chat: [null],
};

/** Makes a random schedule. Equal arguments give equal schedules. */
export function drawSchedule(seed: number, { kills, replicas }: { kills: number; replicas: number }) {
  const exactly = <T>(count: number, of: fc.Arbitrary<T>) =>
    fc.array(of, { minLength: count, maxLength: count, size: 'max' });
  // Several processes need seven seconds to notice the death of a process, so some pauses are longer than that.
  const calm = replicas > 1 ? 6_000 : 3_000;
  const schedule: fc.Arbitrary<Schedule> = fc.record({
    kills: exactly(kills, killOf(calm, replicas)),
    asks: exactly(kills * 25 + 20, ask),
    mishaps: exactly(kills * 6 + 6, mishap),
    gatewayCuts: exactly(kills + 2, cut(500, 9_000, replicas)),
    databaseCuts: exactly(kills + 2, cut(1_000, 12_000, replicas)),
    edgegap: exactly(WEATHER, sometimes(0.14, edgegapFault)),
    callbacks: exactly(WEATHER, sometimes(0.3, callbackFault)),
    door: exactly(WEATHER, sometimes(0.12, bump)),
    chat: exactly(WEATHER, sometimes(0.06, bump)),
  });
  const [drawn] = fc.sample(fc.noBias(schedule), { seed, numRuns: 1 });
  if (!drawn) throw new Error('fast-check drew nothing');
  return drawn;
}

/** A hash of a schedule. Two runs with the same hash had the same schedule. */
export function digestOf(schedule: Schedule): string {
  return createHash('sha256').update(JSON.stringify(schedule)).digest('hex').slice(0, 16);
}

/** The length is a prime number. Otherwise the same fault could always hit the same request of a regular series. */
const WEATHER = 997;

/** Evenly distributed numbers. `fc.double` would make mostly very small numbers. */
const fraction = fc.integer({ min: 0, max: 999_999 }).map((millionths) => millionths / 1_000_000);

function sometimes<T>(share: number, what: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fraction.chain((drawn) => (drawn < share ? what : fc.constant(null)));
}

/** Short times are more frequent than long times. */
function milliseconds(least: number, most: number): fc.Arbitrary<number> {
  return fraction.map((drawn) => Math.round(least + (most - least) * drawn ** 2));
}

function killOf(calm: number, replicas: number): fc.Arbitrary<Kill> {
  return fc.record({
    gapMs: milliseconds(200, calm),
    asks: fc.integer({ min: 4, max: 24 }),
    victim: fc.nat(Math.max(0, replicas - 1)),
    signal: fraction.map((drawn) => (drawn < 0.15 ? 'SIGTERM' : 'SIGKILL')),
    early: fraction.map((drawn) => drawn < 0.2),
    moment: sometimes(
      0.75,
      fc.constantFrom<Moment[]>('deploy', 'post', 'post', 'edit', 'answer', 'answer', 'callback'),
    ),
    lagMs: fraction.chain((drawn) => (drawn < 0.5 ? fc.constant(0) : milliseconds(1, 60))),
    pauseMs: milliseconds(0, 800),
  });
}

const deployable = fc.constantFrom(
  ['kart-racing', 'v1.2'],
  ['kart-racing', 'v1.3'],
  ['lobby-chat', 'stable'],
  ['arena-shooter', '2026.2'],
  ['trouble', 'no-capacity'],
  ['trouble', 'no-image'],
  ['trouble', 'crashes'],
);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 36,
    arbitrary: deployable.map(([application = '', version = '']) => ({
      kind: 'deploy' as const,
      application,
      version,
    })),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('command' as const),
      name: fc.constantFrom('list' as const, 'help' as const),
    }),
  },
  {
    weight: 22,
    arbitrary: fc.record({
      kind: fc.constant('about' as const),
      name: fc.constantFrom('status' as const, 'logs' as const, 'stop' as const, 'tags' as const),
      pick: fraction,
    }),
  },
  {
    weight: 40,
    arbitrary: fc.record({
      kind: fc.constant('press' as const),
      label: fc.constantFrom(
        'Stop',
        'Stop it',
        'Stop it',
        'Stop it',
        'Keep it',
        'Refresh',
        'Logs',
        'Deploy again',
        'Deploy again',
      ),
      pick: fraction,
    }),
  },
);

const ask: fc.Arbitrary<Ask> = fc.record({
  gapMs: milliseconds(5, 500),
  persona: fc.constantFrom(
    'operator',
    'operator',
    'operator',
    'operator',
    'admin',
    'admin',
    'reader',
    'member',
  ),
  deed,
  againAfterMs: sometimes(0.15, milliseconds(0, 3_000)),
  double: fraction.map((drawn) => drawn < 0.12),
  blind: fraction.map((drawn) => drawn < 0.2),
});

const mishap: fc.Arbitrary<Mishap> = fc.record({
  gapMs: milliseconds(200, 2_400),
  kind: fc.constantFrom('ends', 'crashes', 'restarts'),
  pick: fraction,
});

function cut(least: number, most: number, replicas: number): fc.Arbitrary<Cut> {
  return fc.record({
    gapMs: milliseconds(least, most),
    victim: fc.nat(Math.max(0, replicas - 1)),
    awayMs: milliseconds(0, 9_000),
    how: fc.constantFrom('drop', 'ask'),
  });
}

const when = fc.constantFrom('before' as const, 'after' as const);

/** The value of `slow` is in milliseconds of the simulator's clock. */
const edgegapFault: fc.Arbitrary<RequestFault> = fc.oneof(
  fc.record({ kind: fc.constant('reset' as const), when }),
  fc.record({ kind: fc.constant('server-error' as const), when, status: fc.constantFrom(500, 502, 503) }),
  fc.record({ kind: fc.constant('slow' as const), when, ms: milliseconds(500, 45_000) }),
  fc.record({ kind: fc.constant('broken-json' as const) }),
  fc.record({
    kind: fc.constant('too-many-requests' as const),
    retryAfter: fc.constantFrom<(number | string | null)[]>(1, 2, 5, null, 'soon'),
  }),
  fc.record({ kind: fc.constant('cannot-allocate' as const) }),
  fc.record({ kind: fc.constant('image-cannot-be-pulled' as const) }),
);

const callbackFault: fc.Arbitrary<CallbackFault> = fc.oneof(
  fc.record({ kind: fc.constant('drop' as const) }),
  fc.record({ kind: fc.constant('double' as const) }),
  fc.record({ kind: fc.constant('late' as const), ms: milliseconds(500, 90_000) }),
  fc.record({ kind: fc.constant('hold' as const) }),
  fc.record({ kind: fc.constant('unreadable' as const) }),
);

const bump: fc.Arbitrary<Bump> = fc.oneof(
  fc.record({ kind: fc.constant('reset' as const), when }),
  fc.record({ kind: fc.constant('unavailable' as const), when }),
  fc.record({ kind: fc.constant('slow' as const), ms: milliseconds(50, 2_500) }),
  fc.record({ kind: fc.constant('too-many' as const), retryAfter: fc.constantFrom(0.1, 0.3, 1) }),
  fc.record({ kind: fc.constant('broken' as const) }),
);
