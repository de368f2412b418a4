import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CALLBACK_EVENTS, type CallbackEvent } from '../../src/deployments/deployment.ts';
import { advance, type News } from '../../src/deployments/state.ts';
import { DeploymentStatus } from '../../src/edgegap/schema.ts';
import { type Facts, fresh } from './facts.ts';

const STATUSES = [
  'INITIALIZING',
  'SEEKING',
  'SEEKED',
  'SCANNING',
  'DEPLOYING',
  'READY',
  'ERROR',
  'TERMINATING',
];
const RANK = [...STATUSES, 'TERMINATED'];

const told = (
  kind: 'snapshot' | 'called-back',
  current_status: string,
  events: readonly CallbackEvent[] = [],
): News => ({
  kind,
  events,
  status: DeploymentStatus.parse({
    request_id: 'r1',
    current_status,
    error: current_status === 'ERROR',
    tags: ['qa'],
  }),
});

const status = fc.constantFrom(...RANK);
/** The events of Edgegap's callbacks, regardless of the status in the body. */
const events = fc.subarray([...CALLBACK_EVENTS]);
const callback = fc.tuple(status, events).map(([one, names]) => told('called-back', one, names));
const answer = fc.tuple(status, events).map(([one, names]) => told('snapshot', one, names));
/** The outcome of the deploy request. Exactly one of these news items arrives, at any time. */
const outcome = fc.constantFrom<News>(
  { kind: 'accepted', requestId: 'r1' },
  { kind: 'unplaced', requestId: 'r1', detail: 'no room' },
  { kind: 'refused', detail: 'no such version' },
  { kind: 'unknown-outcome' },
);
const anything = fc.oneof(
  callback,
  answer,
  outcome,
  fc.constantFrom<News>(
    { kind: 'terminated' },
    { kind: 'missing' },
    { kind: 'stopping', by: 'ann' },
    { kind: 'stopping', by: 'ben' },
    { kind: 'not-found' },
    { kind: 'tags', tags: ['new'] },
  ),
);
/** The news items, each with the number of milliseconds since the previous item. */
const life = fc.array(fc.tuple(anything, fc.constantFrom(0, 1, 1_000, 29_999, 31_000, 121_000)), {
  maxLength: 25,
});

interface Moment {
  readonly before: Facts;
  readonly news: News;
  readonly after: Facts;
  readonly happened: readonly string[];
  readonly now: number;
}

function live(news: readonly (readonly [News, number])[]): { end: Facts; moments: Moment[]; told: string[] } {
  let facts = fresh;
  let now = 1_000_000;
  const moments: Moment[] = [];
  for (const [one, later] of news) {
    now += later;
    const { changes, happened } = advance(facts, one, now);
    const after = { ...facts, ...changes };
    moments.push({ before: facts, news: one, after, happened, now });
    facts = after;
  }
  return { end: facts, moments, told: moments.flatMap(({ happened }) => happened) };
}

const rankOf = (facts: Facts) => RANK.indexOf(facts.status ?? '');
const count = (all: readonly string[], one: string) => all.filter((other) => other === one).length;
const check = (property: fc.IPropertyWithHooks<[[News, number][]]>) =>
  fc.assert(property, { numRuns: 3_000 });

describe('news about a deployment in any order and number', () => {
  test('a deployment never returns to an earlier status, regardless of the order of the news', () => {
    check(
      fc.property(life, (news) => {
        for (const { before, after } of live(news).moments)
          expect(rankOf(after)).toBeGreaterThanOrEqual(rankOf(before));
      }),
    );
  });

  test('after the end of a deployment, the only late news that is reported is that the server had been ready or had failed', () => {
    check(
      fc.property(life, (news) => {
        for (const { before, after, happened } of live(news).moments) {
          if (before.phase !== 'ended' || before.status !== 'TERMINATED') continue;
          expect(after).toMatchObject({ phase: 'ended', status: 'TERMINATED', endedAt: before.endedAt });
          for (const one of happened) expect(['late-ready', 'error']).toContain(one);
        }
      }),
    );
  });

  test('the reported times of a deployment never change, except that an end assumed by the bot can be taken back', () => {
    check(
      fc.property(life, (news) => {
        for (const { before, after, happened } of live(news).moments) {
          if (before.readyAt !== undefined) expect(after.readyAt).toBe(before.readyAt);
          if (before.errorAt !== undefined) expect(after.errorAt).toBe(before.errorAt);
          if (before.endedAt === undefined || after.endedAt === before.endedAt) continue;
          expect([before.status === 'TERMINATED', happened.includes('still-running')]).toEqual([false, true]);
        }
      }),
    );
  });

  test('each event of a deployment is reported once, and is reported again only after it was taken back', () => {
    check(
      fc.property(life, (news) => {
        const { told, end } = live(news);
        expect(count(told, 'ready') + count(told, 'late-ready')).toBe(end.readyAt === undefined ? 0 : 1);
        expect(count(told, 'error')).toBe(end.errorAt === undefined ? 0 : 1);
        expect(count(told, 'terminated') - count(told, 'still-running')).toBe(
          end.endedAt === undefined ? 0 : 1,
        );
        expect(count(told, 'lost')).toBeLessThanOrEqual(1);
        expect(count(told, 'adopted')).toBeLessThanOrEqual(1);
        const stops = count(told, 'stop-asked') - (end.stopAskedBy === undefined ? 0 : 1);
        expect(stops).toBeLessThanOrEqual(count(told, 'not-stopped') + count(told, 'still-running'));
      }),
    );
  });

  test('if the same news about a deployment arrives twice at the same moment, the second arrival has no effect', () => {
    check(
      fc.property(life, (news) => {
        for (const { after, news: same, now } of live(news).moments) {
          const again = advance(after, same, now);
          expect(again.happened).toEqual([]);
          expect({ ...after, ...again.changes }).toEqual(after);
        }
      }),
    );
  });

  test('the request_id of a deployment never changes, and a deployment with a request_id is either live or ended', () => {
    check(
      fc.property(life, (news) => {
        for (const { before, after } of live(news).moments) {
          if (before.requestId !== undefined) expect(after.requestId).toBe(before.requestId);
          if (after.requestId !== undefined) expect(['live', 'ended']).toContain(after.phase);
        }
      }),
    );
  });
});

test('the order of the callbacks and of the answer to the deploy does not change the final state', () => {
  // The body of each callback contains the status for its event, or a later status.
  const event = fc.constantFrom(...CALLBACK_EVENTS).chain((name) => {
    const later = RANK.slice(RANK.indexOf(name.toUpperCase()));
    return fc.constantFrom(...later).map((one) => [one, name] as const);
  });
  const events = fc.uniqueArray(event, { minLength: 1, selector: ([, name]) => name });
  const orders = events.chain((some) => {
    const all: News[] = [
      { kind: 'accepted', requestId: 'r1' },
      ...some.flatMap(([one, name]) => [told('called-back', one, [name]), told('called-back', one, [name])]),
    ];
    const inAnyOrder = fc.shuffledSubarray(all, { minLength: all.length });
    return fc.tuple(fc.constant(all), inAnyOrder);
  });
  fc.assert(
    fc.property(orders, ([one, other]) => {
      const [a, b] = [one, other].map((news) => live(news.map((each) => [each, 1_000] as const)));
      const seen = ({ end }: { end: Facts }) => ({
        phase: end.phase,
        status: end.status,
        ready: end.readyAt !== undefined,
        failed: end.errorAt !== undefined,
        ended: end.endedAt !== undefined,
      });
      expect(a && seen(a)).toEqual(b && seen(b));
    }),
    { numRuns: 3_000 },
  );
});
