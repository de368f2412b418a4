import { statusFace } from '../../src/deployments/card.ts';
import type { Look } from './chat.ts';

/** The statuses of a card in their normal order. Statuses in the same list may come in any order. */
const ORDER: readonly (readonly string[])[] = [
  ['REQUESTING'],
  ['UNKNOWN'],
  ['LOST', 'REFUSED'],
  ['REQUESTED'],
  ['INITIALIZING'],
  ['SEEKING'],
  ['SEEKED'],
  ['SCANNING'],
  ['DEPLOYING'],
  ['READY'],
  ['ERROR'],
  ['TERMINATING'],
  ['TERMINATED'],
];

const RANKS = new Map(
  ORDER.flatMap((statuses, rank) => statuses.map((status) => [statusFace(status).words, rank] as const)),
);

/** The words with which a card shows a status. */
export function wordsOf(status: string): string {
  return statusFace(status).words;
}

export interface Card {
  readonly message: string;
  readonly request_id: string | undefined;
  /** The last status that the card shows. */
  readonly last: string;
  /** Whether the card still says that the bot is requesting the deploy or searching for the deployment. */
  readonly open: boolean;
  /**
   * The message under which the lines about the card are posted: the card itself, or the first message of its thread.
   */
  readonly home: string;
  /** Each change of the card back to an earlier status. */
  readonly steps: readonly { readonly from: string; readonly to: string }[];
}

/**
 * The status is at the beginning of a line of the card, and the name of the person who deployed follows in small print.
 */
const STATUS = new RegExp(
  `^\\W*(${[...RANKS.keys()].join('|')})\\b(?=[\\s\\S]*\\b(?:deployed|adopted) by )`,
  'm',
);
/** On some platforms, the bot escapes the underscore in the label. */
const REQUEST_ID = /request\\?_id\W+([0-9a-f]{12})\b/;

/** The live cards in the channel, read from all states of the messages. */
export function cardsOf(looks: readonly Look[]): Card[] {
  return [...Map.groupBy(looks, ({ message }) => message)].flatMap(([message, versions]) => {
    const words = versions.flatMap(({ text }) => STATUS.exec(text)?.[1] ?? []);
    const last = words.at(-1);
    if (last === undefined) return [];
    const request_id = versions.flatMap(({ text }) => REQUEST_ID.exec(text)?.[1] ?? []).at(-1);
    const steps = words.flatMap((to, index) => {
      const from = words[index - 1];
      return from !== undefined && (RANKS.get(to) ?? 0) < (RANKS.get(from) ?? 0) ? [{ from, to }] : [];
    });
    const now = STATUS.exec(versions.at(-1)?.text ?? '')?.[1];
    const open = now === wordsOf('REQUESTING') || now === wordsOf('UNKNOWN');
    const home = versions[0]?.under ?? message;
    return [{ message, request_id, last, open, home, steps }];
  });
}

/** Whether a message in the channel says that the bot was wrong to assume the end of a deployment. */
export function isTakenBack({ request_id }: Card, from: string, looks: readonly Look[]): boolean {
  if (request_id === undefined) return false;
  const words =
    from === wordsOf('TERMINATED')
      ? ['is still running after all']
      : from === wordsOf('TERMINATING')
        ? ['still runs: Edgegap took the stop', 'is still running after all']
        : [];
  return looks.some(({ text }) =>
    text.split('\n').some((line) => line.includes(request_id) && words.some((word) => line.includes(word))),
  );
}
