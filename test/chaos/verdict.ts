import type { CallbackEvent, SimulatedDeployment } from '../../src/simulator/deployment.ts';
import { enteredAt, phaseOf } from '../../src/simulator/deployment.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { cardsOf, isTakenBack, wordsOf } from './cards.ts';
import type { Asked, Chat, Look } from './chat.ts';
import type { StoreFacts } from './store-facts.ts';

/** What went wrong, in one line each, by what it counts as. */
export interface Verdict {
  readonly deployments: number;
  readonly events: number;
  /** Messages that say that they may be repeated. */
  readonly marked: number;
  /** Over before Edgegap told us anything of it, and told by what came after. */
  readonly overtaken: number;
  readonly twice: readonly string[];
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  readonly backwards: readonly string[];
  readonly unanswered: readonly string[];
}

const KINDS = ['twice', 'lost', 'duplicated', 'backwards', 'unanswered'] as const;

export function problemsOf(verdict: Verdict): string[] {
  return KINDS.flatMap((kind) => verdict[kind].map((problem) => `${kind}: ${problem}`));
}

/** The last line of a run. */
export function summaryOf(verdict: Verdict): string {
  const { deployments, events, marked, twice, lost, duplicated, backwards, unanswered } = verdict;
  return `deployments=${deployments} twice=${twice.length} events=${events} lost=${lost.length} duplicated=${duplicated.length} backwards=${backwards.length} unanswered=${unanswered.length} marked=${marked}`;
}

/** Compares the ledgers of Edgegap and of the chat; `store` is what the bot itself wrote, once it has ended. */
export function judge(simulator: Simulator, chat: Chat, store?: StoreFacts): Verdict {
  const deployments = [...simulator.deployments.values()];
  const looks = chat.looks();
  const shown = linesOf(looks.map(({ message, text }) => [message, text] as const));
  const cards = cardsOf(looks);
  const happened = deployments.flatMap((deployment) =>
    eventsOf(deployment).map((event) => ({ deployment, event })),
  );
  const told = (id: string, event: CallbackEvent) =>
    shown.filter((line) => line.id === id && line.event === event);
  const missing = happened.filter(({ deployment, event }) => told(deployment.request_id, event).length === 0);
  const overtaken = missing.filter(
    ({ deployment, event }) =>
      isOvertaken(simulator, deployment, event, store) || isUnfound(deployment, looks, store),
  );
  return {
    deployments: deployments.length,
    events: happened.length,
    marked: [...new Map(looks.map(({ message, text }) => [message, text])).values()].filter(isMarked).length,
    overtaken: overtaken.length,
    twice: twiceOf(deployments, chat.asked(), store),
    lost: missing
      .filter((one) => !overtaken.includes(one))
      .map(({ deployment, event }) => `${describe(deployment)}: nobody was told "${event}"`),
    duplicated: happened.flatMap(({ deployment, event }) => {
      const lines = told(deployment.request_id, event).filter(({ text }) => !isMarked(text));
      const again = shown.filter(
        (line) => line.id === deployment.request_id && line.event === 'running',
      ).length;
      return lines.length > 1 + (event === 'terminated' ? again : 0)
        ? [`${describe(deployment)}: ${lines.map(({ message, text }) => `[${message}] ${text}`).join(' | ')}`]
        : [];
    }),
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
        return card || status !== undefined || isUnfound(deployment, looks, store)
          ? []
          : [`${describe(deployment)}: no card shows it`];
      }),
    ],
    unanswered: [
      ...unansweredOf(chat, looks, store),
      ...cards
        .filter(({ requesting }) => requesting)
        .map(({ message }) => `card ${message} still says "${wordsOf('REQUESTING')}"`),
    ],
  };
}

interface ShownLine {
  readonly message: string;
  readonly id: string;
  readonly event: CallbackEvent | 'running';
  readonly text: string;
}

const EVENTS: Readonly<Record<string, ShownLine['event']>> = {
  'is ready': 'ready',
  'had become ready': 'ready',
  failed: 'error',
  terminated: 'terminated',
  'is still running': 'running',
};
const LINE = new RegExp(`\`?\\b([0-9a-z]{8,})\`? (${Object.keys(EVENTS).join('|')})`);

/** What happened, as the channel's messages now say it; a digest holds several lines. */
function linesOf(looks: readonly (readonly [message: string, text: string])[]): ShownLine[] {
  return [...new Map(looks)].flatMap(([message, text]) =>
    text.split('\n').flatMap((line): ShownLine[] => {
      const [, id, words] = LINE.exec(line) ?? [];
      const event = EVENTS[words ?? ''];
      return id && event ? [{ message, id, event, text: line }] : [];
    }),
  );
}

function isMarked(text: string): boolean {
  return /possibly repeated/i.test(text);
}

function eventsOf(deployment: SimulatedDeployment): CallbackEvent[] {
  const phases = { ready: 'READY', error: 'ERROR', terminated: 'TERMINATED' } as const;
  return (['ready', 'error', 'terminated'] as const).filter(
    (event) => enteredAt(deployment, phases[event]) !== undefined,
  );
}

/** Edgegap's one attempt to tell it failed, and by now its status says something else than what was never seen. */
function isOvertaken(
  { callbacks }: Simulator,
  deployment: SimulatedDeployment,
  event: CallbackEvent,
  store: StoreFacts | undefined,
): boolean {
  if (event !== 'ready' || phaseOf(deployment) === 'READY') return false;
  if (store?.untold.has(deployment.request_id)) return false;
  return !callbacks.some(
    (one) =>
      one.request_id === deployment.request_id &&
      one.event === event &&
      one.status === 200 &&
      one.body.endsWith('}'),
  );
}

/** It was over before anything told us its request_id, and the channel knows that it may have started. */
function isUnfound(
  deployment: SimulatedDeployment,
  looks: readonly Look[],
  store: StoreFacts | undefined,
): boolean {
  const intent = store?.intents.get(tagOf(deployment, 'chatops-')?.slice('chatops-'.length) ?? '');
  if (phaseOf(deployment) !== 'TERMINATED' || (store && intent?.phase !== 'lost')) return false;
  const ask = tagOf(deployment, 'ask-');
  return looks.some(({ text }) => text.includes(wordsOf('LOST')) && text.includes(ask ?? wordsOf('LOST')));
}

/** One invocation, one deployment; and for what was asked no more of them than it was asked for. */
function twiceOf(
  deployments: readonly SimulatedDeployment[],
  asked: readonly Asked[],
  store: StoreFacts | undefined,
): string[] {
  const byInvocation = Map.groupBy(deployments, (deployment) => {
    const own = tagOf(deployment, 'chatops-');
    return store?.intents.get(own?.slice('chatops-'.length) ?? '')?.invocation ?? own;
  });
  const byAsk = Map.groupBy(deployments, (deployment) => tagOf(deployment, 'ask-'));
  return [
    ...[...byInvocation].flatMap(([invocation, all]) =>
      all.length > 1 ? [`invocation ${invocation}: ${all.map(describe).join(', ')}`] : [],
    ),
    ...[...byAsk].flatMap(([tag, all]) => {
      const times = asked.filter(({ deploys }) => deploys !== undefined && deploys === tag).length;
      const intents = new Set(all.map((deployment) => tagOf(deployment, 'chatops-')));
      return intents.size > times ? [`${tag}, asked ${times} times: ${all.map(describe).join(', ')}`] : [];
    }),
  ];
}

function tagOf({ tags }: SimulatedDeployment, prefix: string): string | undefined {
  return tags.find(({ name }) => name.startsWith(prefix))?.name;
}

function unansweredOf(chat: Chat, looks: readonly Look[], store: StoreFacts | undefined): string[] {
  // Told in the channel or alone that it came to a sudden end: each such message answers one of their invocations.
  const excuses = [
    ...[...new Map(looks.map(({ message, text }) => [message, text])).values()].map((text) => ({ text })),
    ...chat.privately(),
  ].filter(({ text }) => /restarted in the middle|could not show you the answer/.test(text));
  const open = chat
    .asked()
    .filter(({ acknowledged, answered }) => acknowledged && !answered)
    .filter(({ id, expired }) => !(expired && store?.expired.has(id) !== false));
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

function describe({ request_id, application, version, tags, history }: SimulatedDeployment): string {
  const names = tags.map(({ name }) => name).join(',');
  return `${request_id} (${application} ${version}, ${names}; ${history.map(({ phase }) => phase).join('>')})`;
}
