import { statusFace } from '../../src/deployments/card.ts';
import type { Look } from './chat.ts';

/** From the first to the last status a card can show; those of one rank may follow each other either way. */
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

/** A status as a card words it. */
export function wordsOf(status: string): string {
  return statusFace(status).words;
}

export interface Card {
  readonly message: string;
  readonly request_id: string | undefined;
  /** The status it shows at last. */
  readonly last: string;
  /** It still says that nobody knows what came of it: that it is being asked for, or looked for. */
  readonly open: boolean;
  /** What lines about it are posted under: itself, or the thread it is in. */
  readonly home: string;
  /** Each time it went back to an earlier status. */
  readonly steps: readonly { readonly from: string; readonly to: string }[];
}

const STATUS = new RegExp(`Status\\W+(${[...RANKS.keys()].join('|')})`);
/** Its label is markup on some platforms, where an underscore is escaped. */
const REQUEST_ID = /request\\?_id\W+([0-9a-z]+)/;

/** The live cards in the channel, from all that each message has looked like. */
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

/** What we had only concluded, and the channel was told that it was not so. */
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
