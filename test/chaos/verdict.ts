import type { SimulatedDeployment, SimulatedEvent } from '../../src/simulator/deployment.ts';
import { phaseOf } from '../../src/simulator/deployment.ts';
import { type Card, cardsOf, isTakenBack, wordsOf } from './cards.ts';
import { type Asked, isAgain, type Look } from './chat.ts';
import { isOvertaken, isUnfound } from './excuses.ts';
import { describe, eventsOf, intentOf, type Ledgers, tagOf } from './ledgers.ts';
import { doublesOf, isMarked, linesOf } from './lines.ts';
import type { StoreFacts } from './store-facts.ts';

/** The problems of a run by kind. Each problem is a line of text. */
export interface Verdict {
  readonly deployments: number;
  readonly events: number;
  /** The number of messages that contain "possibly repeated". */
  readonly marked: number;
  /**
   * The number of deployments that ended before Edgegap's callback, and whose event the bot reported from later news.
   */
  readonly overtaken: number;
  readonly twice: readonly string[];
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  readonly backwards: readonly string[];
  readonly unanswered: readonly string[];
}

/** The phases of an intent that are final. */
const SETTLED: readonly string[] = ['live', 'ended', 'refused', 'lost'];
/** The reason that the outbox stores if a message was not sent because of a fault in the bot itself. */
const OWN_FAULT = /: outbox-(fault|unreadable)$/;

const KINDS = ['twice', 'lost', 'duplicated', 'backwards', 'unanswered'] as const;

export function problemsOf(verdict: Verdict): string[] {
  return KINDS.flatMap((kind) => verdict[kind].map((problem) => `${kind}: ${problem}`));
}

/** The line that summarises a run. */
export function summaryOf(verdict: Verdict): string {
  const { deployments, events, marked, twice, lost, duplicated, backwards, unanswered } = verdict;
  return `deployments=${deployments} twice=${twice.length} events=${events} lost=${lost.length} duplicated=${duplicated.length} backwards=${backwards.length} unanswered=${unanswered.length} marked=${marked}`;
}

/**
 * Compares the records of Edgegap and of the chat. `store` contains the facts from the bot's store after the bot has
 * ended.
 */
export function judge(ledgers: Ledgers, store?: StoreFacts): Verdict {
  const { simulator, chat } = ledgers;
  const deployments = [...simulator.deployments.values()];
  const looks = chat.looks();
  const shown = linesOf(looks);
  const cards = cardsOf(looks);
  const happened = deployments.flatMap((deployment) =>
    eventsOf(deployment).map((event) => ({ deployment, event })),
  );
  const told = (id: string, event: SimulatedEvent) =>
    shown.filter((line) => line.id === id && line.told === event);
  const missing = happened.filter(({ deployment, event }) => told(deployment.request_id, event).length === 0);
  const overtaken = missing.filter(
    ({ deployment, event }) =>
      isOvertaken(ledgers, deployment, event, store) || isUnfound(ledgers, deployment, looks, store),
  );
  return {
    deployments: deployments.length,
    events: happened.length,
    marked: [...new Map(looks.map(({ message, text }) => [message, text])).values()].filter(isMarked).length,
    overtaken: overtaken.length,
    twice: twiceOf(deployments, chat.asked(), store),
    lost: [
      ...missing
        .filter((one) => !overtaken.includes(one))
        .map(({ deployment, event }) => `${describe(deployment)}: nobody was told "${event}"`),
      ...[...Map.groupBy(cards.filter(isLost), ({ home }) => home)].flatMap(([home, all]) =>
        shown.filter(({ told, under }) => told === 'lost' && under === home).length < all.length
          ? [
              `${all.map(({ message }) => `card ${message}`).join(', ')}: nobody was told that it may have started`,
            ]
          : [],
      ),
      ...(store?.dead ?? [])
        .filter((dead) => OWN_FAULT.test(dead))
        .map((dead) => `a fault of the bot's own ended a message: ${dead}`),
    ],
    duplicated: [
      ...doublesOf(shown, cards).map((lines) =>
        lines.map(({ message, text }) => `[${message}] ${text}`).join(' | '),
      ),
      ...[...Map.groupBy(cards, ({ request_id }) => request_id)].flatMap(([id, all]) =>
        id !== undefined && all.length > 1
          ? [`${id} has ${all.length} cards: ${all.map(({ message }) => message).join(', ')}`]
          : [],
      ),
    ],
    backwards: [
      ...cards.flatMap((card) =>
        card.steps.flatMap(({ from, to }) =>
          isTakenBack(card, from, looks) ? [] : [`card ${card.message}: "${from}" became "${to}"`],
        ),
      ),
      ...deployments.flatMap((deployment) => {
        const card = cards.find(({ request_id }) => request_id === deployment.request_id);
        const words = wordsOf(phaseOf(deployment));
        if (card && card.last !== words)
          return [`${describe(deployment)}: its card ${card.message} says "${card.last}"`];
        const status = store?.statuses.get(deployment.request_id);
        if (status !== undefined && status !== phaseOf(deployment))
          return [`${describe(deployment)}: the store says ${status}`];
        return card || status !== undefined || isUnfound(ledgers, deployment, looks, store)
          ? []
          : [`${describe(deployment)}: no card shows it`];
      }),
    ],
    unanswered: [
      ...unansweredOf(chat, looks, store),
      ...cards.filter(({ open }) => open).map(({ message, last }) => `card ${message} still says "${last}"`),
      ...[...(store?.intents ?? [])]
        .filter(([, { phase }]) => !SETTLED.includes(phase))
        .map(([id, { phase }]) => `chatops-${id} is for ever ${phase}: nobody learns what came of it`),
    ],
  };
}

/** Reports more deployments at the same time than allowed. Each lost deployment may run in addition to the limit. */
export function overLimit({ simulator, chat }: Ledgers, limit = Number.POSITIVE_INFINITY): string[] {
  const lost = new Set(
    linesOf(chat.looks()).flatMap(({ told, message }) => (told === 'lost' ? message : [])),
  );
  const steps = [...simulator.deployments.values()].flatMap(({ history }) => {
    const end = history.find(({ phase }) => phase === 'TERMINATED')?.at;
    return [{ at: history[0]?.at ?? 0, by: 1 }, ...(end === undefined ? [] : [{ at: end, by: -1 }])];
  });
  let running = 0;
  let most = 0;
  // If a start and an end have the same time, the end comes first.
  for (const { by } of steps.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
    running += by;
    most = Math.max(most, running);
  }
  return most > limit + lost.size
    ? [`limit: ${most} ran at once, ${limit} were allowed, ${lost.size} were lost`]
    : [];
}

function isLost({ last }: Card): boolean {
  return last === wordsOf('LOST');
}

/**
 * An invocation may make only one deployment. A lost deploy may be repeated only once, however often people ask. A
 * request may make only as many deployments as its tag allows.
 */
function twiceOf(
  deployments: readonly SimulatedDeployment[],
  asked: readonly Asked[],
  store: StoreFacts | undefined,
): string[] {
  const invocationOf = (deployment: SimulatedDeployment) =>
    store?.intents.get(intentOf(deployment))?.invocation;
  const byInvocation = Map.groupBy(deployments, (one) => invocationOf(one) ?? intentOf(one));
  const again = new Set(asked.filter(({ what }) => isAgain(what)).map(({ id }) => id));
  const byAsk = Map.groupBy(deployments, (deployment) => tagOf(deployment, 'ask-'));
  return [
    ...[...byInvocation].flatMap(([invocation, all]) =>
      all.length > 1 ? [`invocation ${invocation}: ${all.map(describe).join(', ')}`] : [],
    ),
    ...deployments
      .filter((one) => again.has(invocationOf(one) ?? '') && !store?.replacements.has(intentOf(one)))
      .map((one) => `${describe(one)}: deployed again what another one has replaced`),
    ...[...byAsk].flatMap(([tag, all]) => {
      const times = asked.filter(({ deploys }) => deploys !== undefined && deploys === tag).length;
      const intents = new Set(all.map(intentOf));
      return intents.size > times ? [`${tag}, asked ${times} times: ${all.map(describe).join(', ')}`] : [];
    }),
  ];
}

/**
 * Whether a read may stay unanswered, because an answer would be too late or the bot died before it stored the read.
 */
function mayStaySilent(id: string, store: StoreFacts | undefined): boolean {
  return !store || store.expired.has(id) || !store.invocations.has(id);
}

function unansweredOf(
  chat: Ledgers['chat'],
  looks: readonly Look[],
  store: StoreFacts | undefined,
): string[] {
  // The messages about an interruption, in the channel or to one person. Each of these messages answers one invocation
  // of this person.
  const excuses = [
    ...[...new Map(looks.map(({ message, text }) => [message, text])).values()].map((text) => ({ text })),
    ...chat.privately(),
  ].filter(({ text }) =>
    /restarted in the middle|could not show you the answer|was not carried out/.test(text),
  );
  const open = chat
    .asked()
    .filter(({ acknowledged, answered }) => acknowledged && !answered)
    .filter(({ id, expired }) => !(expired && mayStaySilent(id, store)));
  const silent = open.filter(({ person }) => {
    const index = excuses.findIndex(
      (excuse) => excuse.text.includes(person) || ('person' in excuse && excuse.person === person),
    );
    if (index >= 0) excuses.splice(index, 1);
    return index < 0;
  });
  const silentIds = new Set(silent.map(({ id }) => id));
  return [
    ...silent.map(({ id, what }) => `${id} (${what}) was acknowledged and never answered`),
    ...(store?.running ?? [])
      .filter(({ id }) => !silentIds.has(id))
      .map(({ id, what }) => `${id} (${what}) has no outcome in the store`),
  ];
}
