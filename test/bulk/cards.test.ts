import { expect, test } from 'vitest';
import { planProgress } from '../../src/bulk/cards.ts';
import type { Change, Item, Order } from '../../src/bulk/plan.ts';
import { buttonsOf } from '../gallery/booth.ts';

const at = { platform: 'memory', workspace: 'studio', channel: 'game-servers' };
const order = (change: Change): Order => ({
  command: 'bulk-stop',
  change,
  filter: { tag: 'qa' },
  words: 'tag qa',
  asker: { id: 'ann', name: 'Ann', at },
});
const items = (states: readonly Item['state'][]): Item[] =>
  states.map((state, n) => ({
    request_id: `request-${n}`,
    cells: [`request-${n}`, 'kart v1'],
    state,
    reason: state === 'done' ? undefined : 'the server has ended',
  }));

test.each<[string, readonly Item['state'][], string, readonly string[]]>([
  ['green if every server was stopped', ['done', 'done'], 'success', []],
  [
    'yellow if some servers were stopped',
    ['done', 'failed', 'failed'],
    'warning',
    ['Retry stopping 2 servers'],
  ],
  ['yellow if some servers were left out', ['done', 'left-out'], 'warning', []],
  ['yellow if every server was left out', ['left-out'], 'warning', []],
  ['red if no server was stopped', ['failed'], 'danger', ['Retry stopping 1 server']],
])('the result of stopping many servers is %s', (_, states, tone, labels) => {
  const card = planProgress('plan', order({ kind: 'stop' }), items(states));
  expect(card.tone).toBe(tone);
  expect(buttonsOf(card).map(({ label }) => label)).toEqual(labels);
});

test('the button below the result of adding a tag says how many servers are tried again', () => {
  const card = planProgress('plan', order({ kind: 'tag', tag: 'final' }), items(['done', 'failed']));
  expect(buttonsOf(card).map(({ label }) => label)).toEqual(['Retry adding final to 1 server']);
});
