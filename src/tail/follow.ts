import type { MessageRef } from '../chat/port.ts';
import { type Look, MOST } from './look.ts';
import type { Mark } from './new-part.ts';

/** A person's request to follow a log. */
export interface FollowOrder {
  readonly request_id: string;
  readonly asker: { readonly id: string; readonly name: string };
  /** How many older lines, from the end of the log, are shown when the bot begins to follow the log. */
  readonly lines: number;
  /** The pattern of the lines to show, as the person typed it. */
  readonly source?: string | undefined;
  readonly invert?: boolean | undefined;
  /** The time at which the bot stops following the log, in epoch milliseconds. */
  readonly until: number;
}

/** A message to which the platform appends lines. */
export interface Stream {
  /** Undefined until the first lines are appended. */
  readonly message?: MessageRef | undefined;
  /** The lines that were not appended yet, with secrets masked. */
  readonly waiting: readonly string[];
  /** Whether a process has started to append lines and has not stored the outcome yet. */
  readonly isSending: boolean;
}

/**
 * The state of a follower: a task that shows the new lines of a log. The state is the payload of the task, so another
 * process can continue the task.
 */
export interface Follow extends FollowOrder {
  /** The message that shows the newest lines. */
  readonly card: MessageRef;
  readonly mark?: Mark | undefined;
  /** The newest lines that were shown, with secrets masked. Undefined before the first line. */
  readonly seen?: string | undefined;
  /** The last line of the log if the line has no line break yet, with secrets masked. Otherwise the text is empty. */
  readonly open: string;
  /**
   * The message to which the platform appends the lines. Undefined if the card shows the lines, either because the
   * platform has no messages of this type, or because the platform has refused an append.
   */
  readonly stream?: Stream | undefined;
  /** The number of lines that were shown. */
  readonly count: number;
  /** Whether older lines were dropped from `seen`. */
  readonly isCut: boolean;
  /** How many consecutive readings of the log found no new lines. */
  readonly quiet: number;
  /** A text that says why the log cannot be read at present. */
  readonly problem?: string | undefined;
  /** The name of the person who stopped the follower. */
  readonly stoppedBy?: string | undefined;
}

export const ANEW = '… The log began anew. Some lines may be missing here.';

/** Replaces lines that a platform may or may not have shown. These lines are not sent again. */
const GAP = '… Some lines may be missing here.';

export function beginFollow(order: FollowOrder, card: MessageRef): Follow {
  return { ...order, card, open: '', count: 0, isCut: false, quiet: 0 };
}

export function withLook(follow: Follow, { mark, rows, open, news, isAnew, left }: Look): Follow {
  const added = [
    ...(isAnew ? [ANEW] : []),
    ...(left > 0 ? [`… ${left.toLocaleString('en')} characters are left out here.`] : []),
    ...rows,
  ];
  const whole = added.length > 0 ? [follow.seen ?? [], added].flat().join('\n') : follow.seen;
  const seen = whole && newest(whole);
  const isNews = news > 0 || isAnew || open !== follow.open;
  return {
    ...follow,
    mark,
    open,
    seen,
    stream: follow.stream && { ...follow.stream, waiting: [...follow.stream.waiting, ...added] },
    count: follow.count + rows.length,
    isCut: follow.isCut || seen !== whole,
    quiet: isNews ? 0 : follow.quiet + 1,
    problem: undefined,
  };
}

export function withProblem(follow: Follow, problem: string): Follow {
  return { ...follow, problem, quiet: follow.quiet + 1 };
}

/**
 * Returns the state in which a gap replaces the lines of the last append, because the platform may or may not have
 * shown these lines.
 */
export function withGap(follow: Follow): Follow {
  return { ...follow, stream: { ...follow.stream, waiting: [GAP], isSending: false } };
}

/** All lines that were shown, together with the last line that has no line break yet. */
export function allSeen({ seen, open }: Pick<Follow, 'seen' | 'open'>): string {
  return [seen ?? [], open || []].flat().join('\n');
}

function newest(text: string): string {
  if (text.length <= MOST) return text;
  return text.slice(text.indexOf('\n', text.length - MOST) + 1);
}
