import { describe, expect, test } from 'vitest';
import type { SimulatedEvent, SimulatedPhase } from '../../src/simulator/deployment.ts';
import type { Asked, Look } from './chat.ts';
import type { Ledgers } from './ledgers.ts';
import type { StoreFacts } from './store-facts.ts';
import { judge, problemsOf } from './verdict.ts';

const ID = 'aaaaaaaa0001';
const OTHER = 'aaaaaaaa0002';

interface Run {
  readonly deployments?: readonly ReturnType<typeof deployment>[];
  readonly looks: readonly Look[];
  readonly asked?: readonly Partial<Asked>[];
  readonly taken?: readonly SimulatedEvent[];
  /** The phase of each stored intent, by the name of the intent. Its invocation has the same name. */
  readonly intents?: Readonly<Record<string, string>>;
  readonly store?: Partial<StoreFacts>;
}

/** A deployment whose intent has the request_id as its name. */
function deployment(id: string, ...phases: SimulatedPhase[]) {
  return {
    request_id: id,
    application: 'lobby-chat',
    version: 'stable',
    tags: [{ name: 'ask-1' }, { name: `chatops-${id}` }],
    history: phases.map((phase, at) => ({ phase, at })),
  };
}

function look(message: string, text: string, more: Partial<Look> = {}): Look {
  return { message, text, unread: 0, ...more };
}

const card = (message: string, status: string, id = '') =>
  look(
    message,
    `lobby-chat stable\n**${status}** a minute ago\nTags ask-1 · deployed by ann\n${id ? `**request\\_id** \`${id}\`` : ''}`,
  );

const ready = (id = ID) => `<@1> **lobby-chat stable** \`${id}\` is ready: x`;
const may =
  '<@1> **lobby-chat stable** may have started, but Edgegap neither answered nor lists the server. I do not send the request again.';

/** Returns the problems of a run as lines that begin with the kind of the problem. */
function judged({ deployments = [], looks, asked = [{}], taken = [], intents, store }: Run): string[] {
  const url = (event: string) => `http://door/callbacks/edgegap/${event}/x.secret`;
  const ledgers = {
    simulator: {
      deployments: new Map(deployments.map((one) => [one.request_id, one])),
      callbacks: taken.map((event) => ({ request_id: ID, event, url: url(event) })),
    },
    chat: {
      looks: () => looks,
      privately: () => [],
      asked: () =>
        asked.map((one) => ({
          ...{ id: ID, what: 'olga asks /deploy x ask-1', person: 'u', deploys: 'ask-1' },
          ...{ acknowledged: true, pending: false, answered: true, expired: false },
          ...one,
        })),
    },
    door: { taken: new Set(taken.map((event) => new URL(url(event)).pathname)) },
  } as unknown as Ledgers;
  const known = Object.entries(
    intents ?? Object.fromEntries(deployments.map((one) => [one.request_id, 'live'])),
  );
  return problemsOf(
    judge(ledgers, {
      intents: new Map(known.map(([id, phase]) => [id, { invocation: id, phase }])),
      replacements: new Set(),
      statuses: new Map(),
      untold: new Set(),
      invocations: new Set(asked.map(({ id = ID }) => id)),
      running: [],
      unsent: 0,
      dead: [],
      expired: new Set(),
      ...store,
    }),
  );
}

const good = { deployments: [deployment(ID, 'READY')], looks: [card('c', 'Ready', ID), look('l', ready())] };
const and = (...looks: Look[]) => ({ ...good, looks: [...good.looks, ...looks] });
const said = (...texts: string[]) => and(...texts.map((text, index) => look(`s${index}`, text)));

test('the chaos check finds no problem in a run in which each event was reported once', () => {
  expect(judged(good)).toEqual([]);
});

describe('duplicates', () => {
  const of = (problem: RegExp) => [expect.stringMatching(problem)];

  test('the chaos check counts a second live card of the same deployment as a duplicate', () => {
    expect(judged(and(card('c2', 'Ready', ID)))).toEqual(of(/^duplicated: aaaaaaaa0001 has 2 cards: c, c2$/));
  });

  test('two refusals that name deployments without a request_id do not count as duplicates', () => {
    const refused = (message: string) =>
      look(message, '**Not deployed**\ndeployed by ann\nThe newest: no request_id yet (lobby-chat stable)');
    expect(judged(and(refused('c2'), refused('c3')))).toEqual([]);
  });

  test.each([
    `\`${ID}\` did start after all`,
    `\`${ID}\` failed: x`,
    `Olga asked to stop **lobby-chat stable** \`${ID}\``,
  ])('the chaos check counts the line "%s" as a duplicate if the line was posted twice', (line) => {
    expect(judged(said(line))).toEqual([]);
    expect(judged(said(line, line))).toEqual(of(/^duplicated: \[s0\] .* \| \[s1\] /));
    expect(judged(said(`x\n${line}\n${line}`))).toEqual(of(/^duplicated: /));
  });

  test('if the bot corrects a wrong report, the chaos check accepts a later report of the same event, but no second correction', () => {
    const [end, running] = [`\`${ID}\` stopped`, `\`${ID}\` is still running after all`];
    const [asked, not] = [
      `Olga asked to stop **x** \`${ID}\``,
      `\`${ID}\` still runs: Edgegap took the stop`,
    ];
    expect(judged(said(end, running, end, asked, not, asked))).toEqual([]);
    expect(judged(said(end, running, running))).toEqual(of(/^duplicated: .*still running/));
    expect(judged(said(asked, not, not))).toEqual(of(/^duplicated: .*still runs/));
  });

  test('a line with "possibly repeated" counts as a duplicate if the chaos check could read the channel since the first line', () => {
    const repeat = (unread: number) => look('l2', `${ready()} (possibly repeated)`, { unread });
    expect(judged(and(repeat(1)))).toEqual([]);
    expect(judged(and(repeat(0)))).toEqual(of(/^duplicated: /));
    expect(judged(and(repeat(1), look('l3', `${ready()} (possibly repeated)`, { unread: 1 })))).toEqual(
      of(/^duplicated: /),
    );
  });

  test('if the last line of a digest says "possibly repeated", the chaos check applies the note to every line of the digest', () => {
    const digest = `\`${OTHER}\` failed\n${ready()}\n\`${OTHER}\` stopped (possibly repeated)`;
    expect(judged(and(look('d', digest, { unread: 1 })))).toEqual([]);
    expect(judged(and(look('d', digest)))).toEqual(of(/^duplicated: /));
  });
});

describe('a deploy with an unknown outcome', () => {
  const lost = {
    intents: { n1: 'lost' },
    looks: [card('c', 'May have started'), look('l', may, { under: 'c' })],
  };

  test('the chaos check counts a deploy whose outcome stays unknown as unanswered', () => {
    expect(judged({ intents: { n1: 'unknown' }, looks: [card('c', 'Outcome unknown')] })).toEqual([
      'unanswered: card c still says "Outcome unknown"',
      'unanswered: chatops-n1 is for ever unknown: nobody learns what came of it',
    ]);
  });

  test('the chaos check accepts a read without an answer only if the read is old, and was not stored or was too late', () => {
    const read = { id: 'i1', what: 'rita asks /list', deploys: undefined, answered: false, expired: true };
    const run = { ...good, asked: [{}, read] };
    const silent = ['unanswered: i1 (rita asks /list) was acknowledged and never answered'];
    expect(judged(run)).toEqual(silent);
    expect(judged({ ...run, store: { invocations: new Set() } })).toEqual([]);
    expect(judged({ ...run, store: { expired: new Set(['i1']) } })).toEqual([]);
    const young = { ...run, asked: [{}, { ...read, expired: false }] };
    expect(judged({ ...young, store: { invocations: new Set() } })).toEqual(silent);
  });

  test('the chaos check expects exactly one message about a lost deploy', () => {
    expect(judged(lost)).toEqual([]);
    expect(judged({ ...lost, looks: lost.looks.slice(0, 1) })).toEqual([
      'lost: card c: nobody was told that it may have started',
    ]);
    expect(judged({ ...lost, looks: [...lost.looks, look('l2', may, { under: 'c' })] })).toEqual([
      expect.stringMatching(/^duplicated: /),
    ]);
  });

  test('the chaos check expects the message about a lost deploy in the thread of the card', () => {
    const [own, line] = [{ ...card('c', 'May have started'), under: 't' }, look('l', may, { under: 't' })];
    expect(judged({ ...lost, looks: [own, line] })).toEqual([]);
    expect(judged({ ...lost, looks: [own, { ...own, message: 'c2' }, line] })).toEqual([
      'lost: card c, card c2: nobody was told that it may have started',
    ]);
  });

  test('the chaos check accepts that a lost deploy started unnoticed, unless one of its callbacks reached the bot', () => {
    const unseen = {
      ...lost,
      deployments: [deployment(ID, 'READY', 'TERMINATED')],
      intents: { [ID]: 'lost' },
    };
    expect(judged(unseen)).toEqual([]);
    expect(judged({ ...unseen, taken: ['terminated'] })).toEqual([
      expect.stringMatching(/^lost: .*"terminated"/),
      expect.stringMatching(/^backwards: .*no card/),
    ]);
  });

  test('the chaos check allows a lost deploy to be repeated only once, even if many people press "Deploy again"', () => {
    const again = (id: string) => ({ id, what: 'olga presses Deploy again of x ask-1' });
    const both = {
      deployments: [deployment(ID, 'READY'), deployment(OTHER, 'READY')],
      intents: { n1: 'lost', [ID]: 'live', [OTHER]: 'live' },
      looks: [
        ...lost.looks,
        ...[ID, OTHER].flatMap((id) => [card(id, 'Ready', id), look(`l${id}`, ready(id))]),
      ],
      asked: [{ id: 'n1' }, again(ID), again(OTHER)],
    };
    expect(judged({ ...both, store: { replacements: new Set([OTHER]) } })).toEqual([
      expect.stringMatching(/^twice: aaaaaaaa0001 .*: deployed again what another one has replaced$/),
    ]);
    // If the second deploy is also lost, a person may repeat the deploy again.
    expect(judged({ ...both, store: { replacements: new Set([ID, OTHER]) } })).toEqual([]);
  });
});

test('the chaos check expects a message about a brief status only if its callback reached the bot', () => {
  const late = {
    deployments: [deployment(ID, 'READY', 'TERMINATED')],
    looks: [card('c', 'Stopped', ID), look('l', `\`${ID}\` stopped`)],
  };
  expect(judged(late)).toEqual([]);
  expect(judged({ ...late, taken: ['ready'] })).toEqual([expect.stringMatching(/^lost: .*"ready"/)]);
});

test("if a fault in the bot's own code prevents a message, the chaos check counts the message as lost", () => {
  expect(judged({ ...good, store: { dead: ['post of n1: channel_not_found'] } })).toEqual([]);
  expect(judged({ ...good, store: { dead: ['post of n1: outbox-fault'] } })).toEqual([
    "lost: a fault of the bot's own ended a message: post of n1: outbox-fault",
  ]);
});
