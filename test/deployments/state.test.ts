import { describe, expect, test } from 'vitest';
import type { CallbackEvent } from '../../src/deployments/deployment.ts';
import { advance, type News } from '../../src/deployments/state.ts';
import { DeploymentStatus } from '../../src/edgegap/schema.ts';
import { type Facts, fresh } from './facts.ts';

const status = (current_status: string, more: object = {}): News => ({
  kind: 'snapshot',
  status: DeploymentStatus.parse({ request_id: 'r1', current_status, ...more }),
});

/** Applies the news items, a minute apart. Returns the reported events and the final state. */
function believedAfter(...news: readonly News[]) {
  let facts: Facts = fresh;
  const told: string[] = [];
  for (const [minute, one] of news.entries()) {
    const now = minute * 60_000;
    const { changes, happened } = advance(facts, one, now);
    facts = { ...facts, ...changes };
    told.push(...happened);
  }
  return { phase: facts.phase, status: facts.status, told, facts };
}

const accepted: News = { kind: 'accepted', requestId: 'r1' };
const unknown: News = { kind: 'unknown-outcome' };
const notFound: News = { kind: 'not-found' };
const terminated: News = { kind: 'terminated' };
const missing: News = { kind: 'missing' };
const stopping = (by: string): News => ({ kind: 'stopping', by });
const calledBack = (current_status: string, ...events: CallbackEvent[]): News => ({
  kind: 'called-back',
  events,
  status: DeploymentStatus.parse({ request_id: 'r1', current_status }),
});
const failed = status('ERROR', { error: true, error_detail: 'pull' });
const unplaced: News = { kind: 'unplaced', requestId: 'r1', detail: 'no room' };

describe('the state and the reported events after news about a deployment', () => {
  test.each<[string, News[], { phase: string; status: string | undefined; told: string[] }]>([
    [
      'a deployment that starts, is ready and terminates',
      [accepted, status('SEEKING'), status('READY'), status('TERMINATED')],
      { phase: 'ended', status: 'TERMINATED', told: ['ready', 'terminated'] },
    ],
    [
      'an earlier status after the readiness',
      [accepted, status('READY'), status('DEPLOYING')],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'an unknown status and then an earlier status',
      [accepted, status('READY'), status('HIBERNATING'), status('DEPLOYING')],
      { phase: 'live', status: 'HIBERNATING', told: ['ready'] },
    ],
    [
      'a readiness that arrives after the end',
      [accepted, status('TERMINATED'), status('READY')],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated', 'late-ready'] },
    ],
    [
      'a ready callback of a deployment that has failed',
      [accepted, calledBack('ERROR', 'ready'), calledBack('ERROR', 'error'), calledBack('ERROR', 'ready')],
      { phase: 'live', status: 'ERROR', told: ['error', 'late-ready'] },
    ],
    [
      'an error callback of a deployment that has ended',
      [accepted, calledBack('READY', 'ready'), calledBack('TERMINATED', 'error')],
      { phase: 'ended', status: 'TERMINATED', told: ['ready', 'error', 'terminated'] },
    ],
    [
      'callbacks whose body has an earlier status than their name',
      [accepted, calledBack('DEPLOYING', 'ready'), calledBack('READY', 'error')],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a readiness after a stop was accepted',
      [accepted, stopping('ann'), status('READY')],
      { phase: 'live', status: 'READY', told: ['stop-asked', 'ready'] },
    ],
    [
      'an error that is reported twice',
      [accepted, failed, failed, status('TERMINATED', { error: true })],
      { phase: 'ended', status: 'TERMINATED', told: ['error', 'terminated'] },
    ],
    [
      'an end with an error that was not reported before',
      [accepted, status('TERMINATED', { error: true })],
      { phase: 'ended', status: 'TERMINATED', told: ['error', 'terminated'] },
    ],
    [
      'a callback before the answer to the deploy',
      [status('READY'), accepted],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a callback before the refusal of the deploy',
      [status('READY'), { kind: 'refused', detail: '' }],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a callback before a deploy turns out to have no answer',
      [status('READY'), unknown, notFound],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a deploy without an answer whose deployment is then found',
      [unknown, accepted, status('READY')],
      { phase: 'live', status: 'READY', told: ['adopted', 'ready'] },
    ],
    [
      'a deploy without an answer whose deployment is not found twice',
      [unknown, notFound, notFound],
      { phase: 'lost', status: undefined, told: ['lost'] },
    ],
    [
      'a callback of a deployment that counted as lost',
      [unknown, notFound, status('READY')],
      { phase: 'live', status: 'READY', told: ['lost', 'adopted', 'ready'] },
    ],
    [
      'a search without a result while the deploy request is still open',
      [notFound],
      { phase: 'requesting', status: undefined, told: [] },
    ],
    [
      'a deploy that is refused with 422 but leaves a deployment',
      [unplaced, failed, terminated],
      { phase: 'ended', status: 'TERMINATED', told: ['error', 'terminated'] },
    ],
    [
      'a 422 after the end of the deployment that was left behind',
      [status('TERMINATED'), unplaced],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated'] },
    ],
    [
      'two stops by different people',
      [accepted, stopping('ann'), stopping('ben')],
      { phase: 'live', status: undefined, told: ['stop-asked'] },
    ],
    [
      'a stop whose answer came after the end',
      [accepted, terminated, stopping('ann')],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated'] },
    ],
    [
      'an end that is reported twice',
      [accepted, terminated, terminated, status('TERMINATED')],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated'] },
    ],
    [
      'a deployment that is missing once',
      [accepted, status('READY'), missing],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a deployment that is missing, found and missing again',
      [accepted, status('READY'), missing, status('READY'), missing],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a deployment that is missing, found in an earlier status and missing again',
      [accepted, status('READY'), missing, status('DEPLOYING'), missing],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a deployment that is missing twice',
      [accepted, status('READY'), missing, missing],
      { phase: 'ended', status: 'READY', told: ['ready', 'terminated'] },
    ],
    [
      'a deployment that is missing twice before it was known to exist',
      [unknown, missing, missing],
      { phase: 'unknown', status: undefined, told: [] },
    ],
    [
      'a deployment that is missing twice and then terminated according to Edgegap, which is final',
      [accepted, status('READY'), missing, missing, calledBack('TERMINATED'), status('READY')],
      { phase: 'ended', status: 'TERMINATED', told: ['ready', 'terminated'] },
    ],
    [
      'a deployment that is missing twice and then found running',
      [accepted, status('READY'), missing, missing, status('READY'), status('READY')],
      { phase: 'live', status: 'READY', told: ['ready', 'terminated', 'still-running'] },
    ],
    [
      'a deployment that is missing twice, then found running, and then terminated',
      [accepted, status('READY'), missing, missing, status('READY'), status('TERMINATED')],
      { phase: 'ended', status: 'TERMINATED', told: ['ready', 'terminated', 'still-running', 'terminated'] },
    ],
    [
      'a deployment that is missing twice, and then an older callback',
      [accepted, status('DEPLOYING'), missing, missing, calledBack('READY')],
      { phase: 'ended', status: 'DEPLOYING', told: ['terminated', 'late-ready'] },
    ],
    [
      'a deployment that is missing twice and then found terminating',
      [accepted, status('READY'), missing, missing, status('TERMINATING')],
      { phase: 'ended', status: 'READY', told: ['ready', 'terminated'] },
    ],
    [
      'a deployment that is missing twice and then stopped by a person',
      [accepted, status('READY'), missing, missing, stopping('ann'), status('TERMINATED')],
      {
        phase: 'ended',
        status: 'TERMINATED',
        told: ['ready', 'terminated', 'still-running', 'stop-asked', 'terminated'],
      },
    ],
    [
      'a deployment that is still ready long after Edgegap accepted a stop',
      [accepted, status('READY'), stopping('ann'), status('READY'), status('READY'), stopping('ben')],
      { phase: 'live', status: 'READY', told: ['ready', 'stop-asked', 'not-stopped', 'stop-asked'] },
    ],
    [
      'a deployment that is still failed long after Edgegap accepted a stop',
      [accepted, failed, stopping('ann'), failed, failed],
      { phase: 'live', status: 'ERROR', told: ['error', 'stop-asked', 'not-stopped'] },
    ],
    [
      'a readiness long after a stop that was accepted before the readiness',
      [accepted, stopping('ann'), status('DEPLOYING'), status('DEPLOYING'), status('READY')],
      { phase: 'live', status: 'READY', told: ['stop-asked', 'ready'] },
    ],
    [
      'a deployment that terminates slowly after a stop',
      [accepted, status('READY'), stopping('ann'), ...Array(5).fill(status('TERMINATING'))],
      { phase: 'live', status: 'TERMINATING', told: ['ready', 'stop-asked'] },
    ],
    [
      'a late callback, which does not prove that a stop had no effect,',
      [accepted, status('READY'), stopping('ann'), missing, calledBack('READY'), calledBack('READY')],
      { phase: 'live', status: 'READY', told: ['ready', 'stop-asked'] },
    ],
    [
      'news of another deployment',
      [accepted, status('TERMINATED', { request_id: 'r2' })],
      { phase: 'live', status: undefined, told: [] },
    ],
  ])('%s leads to the right state and the right events', (_, news, expected) => {
    expect(believedAfter(...news)).toMatchObject(expected);
  });

  test.each<[string, News]>([
    ['accepted', accepted],
    ['ready', status('READY')],
    ['failed', failed],
    ['terminated', status('TERMINATED')],
    ['terminated', terminated],
    ['unplaced', unplaced],
    ['stopping', stopping('ann')],
  ])(
    'the news "%s" about a deployment is reported once, even if the news arrives several times',
    (_, news) => {
      const once = believedAfter(accepted, news);
      const often = believedAfter(accepted, news, news, news);
      expect(often.told).toEqual(once.told);
      expect(often.facts).toEqual(once.facts);
    },
  );
});

test('if several people ask to stop the same deployment, the report names the first person', () => {
  expect(believedAfter(accepted, stopping('ann'), stopping('ben')).facts.stopAskedBy).toBe('ann');
});

test('if the callback about the end arrives before the answer to the stop, the card still names the person who stopped', () => {
  const lifetime = { ms: 240_000, endsAt: 240_000 };
  const planned = advance(believedAfter(accepted).facts, { kind: 'lifetime', lifetime }, 0).changes;
  const live = { ...believedAfter(accepted).facts, ...planned };
  const ended = { ...live, ...advance(live, terminated, 1_000).changes };
  const { changes, happened } = advance(ended, { kind: 'stopping', by: 'ann', atEnd: true }, 2_000);
  expect(changes).toMatchObject({ stopAskedBy: 'ann', plan: { lifetime: { isOver: true } } });
  expect(happened).toEqual([]);
});

test('a deployment counts as ended only if Edgegap still does not know the deployment after half a minute', () => {
  const live = believedAfter(accepted, status('READY')).facts;
  const first = { ...live, ...advance(live, missing, 1_000).changes };
  expect(advance(first, missing, 30_999)).toEqual({ changes: {}, happened: [] });
  expect(advance(first, missing, 31_000)).toEqual({
    changes: { phase: 'ended', endedAt: 1_000 },
    happened: ['terminated'],
  });
});

test('a stop without an effect after two minutes counts as failed', () => {
  const live = { ...believedAfter(accepted, status('READY')).facts, readyAt: 0 };
  const asked = { ...live, ...advance(live, stopping('ann'), 1_000).changes };
  expect(advance(asked, status('READY'), 120_999).happened).toEqual([]);
  expect(advance(asked, status('READY'), 121_000)).toMatchObject({
    changes: { stopAskedBy: undefined, stopAskedAt: undefined },
    happened: ['not-stopped'],
  });
});

test('if a deployment is stored as missing since a time in the future, the current time replaces that time', () => {
  const hour = 60 * 60_000;
  const facts: Facts = { ...fresh, phase: 'live', requestId: 'r1', missingAt: 5 * hour };
  expect(advance(facts, missing, hour)).toEqual({ changes: { missingAt: hour }, happened: [] });
});

test("if the body of a ready callback does not say READY, the server counts as ready from the callback's arrival", () => {
  const live = believedAfter(accepted).facts;
  const told = { ...calledBack('TERMINATING', 'ready'), since: { ready: 1_000 } } as News;
  expect(advance(live, told, 60_000).changes.readyAt).toBe(1_000);
  const ended = { ...calledBack('TERMINATED', 'ready'), since: { ready: 1_000 } } as News;
  expect(advance(live, ended, 60_000).changes).toMatchObject({ readyAt: 60_000, endedAt: 60_000 });
});
