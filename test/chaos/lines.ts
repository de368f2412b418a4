import type { Card } from './cards.ts';
import type { Look } from './chat.ts';

/** The event that a line reports. The sentences are those of `src/deployments/announce.ts`. */
type Told = 'ready' | 'error' | 'terminated' | 'running' | 'not-stopped' | 'stop-asked' | 'adopted' | 'lost';

export interface ShownLine {
  readonly message: string;
  /** The request_id. Undefined for a deployment that may have started, because its request_id is unknown. */
  readonly id: string | undefined;
  readonly told: Told;
  readonly text: string;
  /** Whether the line or its digest says that the line may be a repeat. */
  readonly marked: boolean;
  /** The message under which the line was posted. */
  readonly under: string | undefined;
  /** How many attempts to read the channel had failed in the whole run when the line was posted. */
  readonly unread: number;
}

const SENTENCES: Readonly<Record<string, Told>> = {
  'is ready': 'ready',
  'had become ready': 'ready',
  failed: 'error',
  stopped: 'terminated',
  'is still running': 'running',
  'still runs': 'not-stopped',
  'did start after all': 'adopted',
};
const LINE = new RegExp(`\`?\\b([0-9a-z]{8,})\`? (${Object.keys(SENTENCES).join('|')})`);
const STOP_ASKED = /asked to stop .*?`?\b([0-9a-z]{8,})\b`?\W*(?:possibly repeated\W*)?$/;
const LOST = / may have started, but/;

/** The events that the channel's messages report in their last state. A digest holds several lines. */
export function linesOf(looks: readonly Look[]): ShownLine[] {
  return [...Map.groupBy(looks, ({ message }) => message)].flatMap(([message, versions]) => {
    const [first] = versions;
    const text = versions.at(-1)?.text ?? '';
    const marked = isMarked(text);
    const posted = { message, marked, under: first?.under, unread: first?.unread ?? 0 };
    return text.split('\n').flatMap((line): ShownLine[] => {
      const said = whatOf(line);
      return said ? [{ ...posted, ...said, text: line }] : [];
    });
  });
}

function whatOf(line: string): { readonly id: string | undefined; readonly told: Told } | undefined {
  if (LOST.test(line)) return { id: undefined, told: 'lost' };
  const [, stopped] = STOP_ASKED.exec(line) ?? [];
  if (stopped !== undefined) return { id: stopped, told: 'stop-asked' };
  const [, id, words] = LINE.exec(line) ?? [];
  const told = SENTENCES[words ?? ''];
  return id !== undefined && told ? { id, told } : undefined;
}

export function isMarked(text: string): boolean {
  return /possibly repeated/i.test(text);
}

/** Lines with the same sentence about the same deployment, if there are more such lines than events. */
export function doublesOf(lines: readonly ShownLine[], cards: readonly Card[]): ShownLine[][] {
  const about = Map.groupBy(lines, ({ id, under, told }) => (told === 'lost' ? `under ${under}` : `${id}`));
  return [...about].flatMap(([which, all]) =>
    [...Map.groupBy(all, ({ told }) => told)].flatMap(([told, same]) => {
      const count = (other: Told) => all.filter((line) => line.told === other).length;
      const most = told === 'lost' ? cardsIn(which, cards) : mostOf(told, count);
      return same.filter((line, index) => !isExcused(line, same[index - 1])).length > most ? [same] : [];
    }),
  );
}

/** How often the event may be reported: once, and once more for each time that the event was taken back. */
function mostOf(told: Told, count: (other: Told) => number): number {
  switch (told) {
    case 'terminated':
      return 1 + count('running');
    case 'running':
      return count('terminated');
    case 'stop-asked':
      return 1 + count('not-stopped') + count('running');
    case 'not-stopped':
      return count('stop-asked');
    default:
      return 1;
  }
}

function cardsIn(which: string, cards: readonly Card[]): number {
  return cards.filter(({ home }) => which === `under ${home}`).length;
}

/**
 * Whether the mark "possibly repeated" is right: since the earlier line, the channel could not be read, so the bot
 * could not search.
 */
function isExcused({ marked, unread }: ShownLine, before: ShownLine | undefined): boolean {
  return marked && before !== undefined && unread > before.unread;
}
