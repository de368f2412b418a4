import type { Card } from './cards.ts';
import type { Look } from './chat.ts';

/** The event that a line reports. The sentences come from `src/deployments/announce.ts`. */
type Told = 'ready' | 'error' | 'terminated' | 'running' | 'not-stopped' | 'stop-asked' | 'adopted' | 'lost';

export interface ShownLine {
  readonly message: string;
  /**
   * The request_id. Undefined if the line says that a deployment may have started, because its request_id is unknown.
   */
  readonly id: string | undefined;
  readonly told: Told;
  readonly text: string;
  /** Whether the line or its digest contains "possibly repeated". */
  readonly marked: boolean;
  /** The message under which the line was posted. */
  readonly under: string | undefined;
  /** The number of failed attempts to read the channel in the run before the line was posted. */
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

/**
 * The events that the messages in the channel report, according to the last state of each message. A digest reports
 * several events.
 */
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

/** Lines that repeat a sentence about the same deployment more often than the event happened. */
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

/** How often an event may be reported: once, and once more for each time that a line took the event back. */
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
 * Whether "possibly repeated" is justified. If the channel was unreadable since the earlier line, the bot could not
 * search for this line.
 */
function isExcused({ marked, unread }: ShownLine, before: ShownLine | undefined): boolean {
  return marked && before !== undefined && unread > before.unread;
}
