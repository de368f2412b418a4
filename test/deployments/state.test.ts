import { describe, expect, test } from 'vitest';
import { advance, type News } from '../../src/deployments/state.ts';
import { DeploymentStatus } from '../../src/edgegap/schema.ts';

type Facts = Parameters<typeof advance>[0];

const status = (current_status: string, more: object = {}): News => ({
  kind: 'snapshot',
  status: DeploymentStatus.parse({ request_id: 'r1', current_status, ...more }),
});

const fresh: Facts = {
  phase: 'requesting',
  requestId: undefined,
  status: undefined,
  snapshot: undefined,
  tags: [],
  errorDetail: undefined,
  acceptedAt: undefined,
  readyAt: undefined,
  errorAt: undefined,
  endedAt: undefined,
  stopAskedBy: undefined,
};

/** Tells it all of this, one after the other; what people were told of it, and what is believed in the end. */
function believedAfter(...news: readonly News[]) {
  let facts: Facts = fresh;
  const told: string[] = [];
  for (const [now, one] of news.entries()) {
    const { changes, happened } = advance(facts, one, now);
    facts = { ...facts, ...changes };
    told.push(...happened);
  }
  return { phase: facts.phase, status: facts.status, told, facts };
}

const accepted: News = { kind: 'accepted', requestId: 'r1' };
const unknown: News = { kind: 'unknown-outcome' };
const notFound: News = { kind: 'not-found' };
const gone: News = { kind: 'gone' };
const stopping = (by: string, begun = true): News => ({ kind: 'stopping', by, begun });
const failed = status('ERROR', { error: true, error_detail: 'pull' });
const unplaced: News = { kind: 'unplaced', requestId: 'r1', detail: 'no room' };

describe('what is believed and told after', () => {
  test.each<[string, News[], { phase: string; status: string | undefined; told: string[] }]>([
    [
      'a plain life',
      [accepted, status('SEEKING'), status('READY'), status('TERMINATED')],
      { phase: 'ended', status: 'TERMINATED', told: ['ready', 'terminated'] },
    ],
    [
      'a late step back',
      [accepted, status('READY'), status('DEPLOYING')],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a status nobody knows, then a late one',
      [accepted, status('READY'), status('HIBERNATING'), status('DEPLOYING')],
      { phase: 'live', status: 'HIBERNATING', told: ['ready'] },
    ],
    [
      'ready after the end',
      [accepted, status('TERMINATED'), status('READY')],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated', 'late-ready'] },
    ],
    [
      'ready while it already stops',
      [accepted, stopping('ann'), status('READY')],
      { phase: 'live', status: 'TERMINATING', told: ['stop-asked', 'late-ready'] },
    ],
    [
      'an error, twice',
      [accepted, failed, failed, status('TERMINATED', { error: true })],
      { phase: 'ended', status: 'TERMINATED', told: ['error', 'terminated'] },
    ],
    [
      'an end that was an error nobody told of',
      [accepted, status('TERMINATED', { error: true })],
      { phase: 'ended', status: 'TERMINATED', told: ['error', 'terminated'] },
    ],
    [
      'a callback before the answer',
      [status('READY'), accepted],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a callback before a refusal',
      [status('READY'), { kind: 'refused', detail: '' }],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'a callback before no answer',
      [status('READY'), unknown, notFound],
      { phase: 'live', status: 'READY', told: ['ready'] },
    ],
    [
      'no answer, then found',
      [unknown, accepted, status('READY')],
      { phase: 'live', status: 'READY', told: ['adopted', 'ready'] },
    ],
    [
      'no answer, not found, looked for again',
      [unknown, notFound, notFound],
      { phase: 'lost', status: undefined, told: ['lost'] },
    ],
    [
      'lost, then a callback',
      [unknown, notFound, status('READY')],
      { phase: 'live', status: 'READY', told: ['lost', 'adopted', 'ready'] },
    ],
    [
      'not found while it is still being asked for',
      [notFound],
      { phase: 'requesting', status: undefined, told: [] },
    ],
    [
      '422',
      [unplaced, failed, gone],
      { phase: 'ended', status: 'TERMINATED', told: ['error', 'terminated'] },
    ],
    [
      '422 after its end',
      [status('TERMINATED'), unplaced],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated'] },
    ],
    [
      'two who stop it',
      [accepted, stopping('ann', false), stopping('ben')],
      { phase: 'live', status: 'TERMINATING', told: ['stop-asked'] },
    ],
    [
      'a stop whose answer came after the end',
      [accepted, gone, stopping('ann')],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated'] },
    ],
    [
      'gone, twice',
      [accepted, gone, gone, status('TERMINATED')],
      { phase: 'ended', status: 'TERMINATED', told: ['terminated'] },
    ],
    [
      'news of another deployment',
      [accepted, status('TERMINATED', { request_id: 'r2' })],
      { phase: 'live', status: undefined, told: [] },
    ],
  ])('%s', (_, news, expected) => {
    expect(believedAfter(...news)).toMatchObject(expected);
  });

  test.each<[string, News]>([
    ['accepted', accepted],
    ['ready', status('READY')],
    ['failed', failed],
    ['terminated', status('TERMINATED')],
    ['gone', gone],
    ['unplaced', unplaced],
    ['stopping', stopping('ann')],
  ])('%s, however often', (_, news) => {
    const once = believedAfter(accepted, news);
    const often = believedAfter(accepted, news, news, news);
    expect(often.told).toEqual(once.told);
    expect(often.facts).toEqual(once.facts);
  });
});

test('the first who asked to stop it is the one who is named', () => {
  expect(believedAfter(accepted, stopping('ann', false), stopping('ben')).facts.stopAskedBy).toBe('ann');
});
