import { counted } from '../chat/facts.ts';
import type { Adapter } from '../chat/port.ts';
import { cutEnd } from '../chat/text.ts';
import { DeliveryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { lockTask, setPayload } from '../work/task.ts';
import { type Follow, withGap } from './follow.ts';
import { FOLLOW } from './followers.ts';

export interface StreamParts {
  readonly adapters: readonly Adapter[];
  readonly store: Store;
  readonly log: Logger;
}

/** Decides at the first reading whether the platform appends the lines to a message. */
export function withStream(follow: Follow, { adapters }: Pick<StreamParts, 'adapters'>): Follow {
  if (follow.stream?.isSending) return withGap(follow);
  if (follow.mark || !streamsOf(follow, adapters)) return follow;
  return { ...follow, stream: { waiting: [], isSending: false } };
}

/**
 * Appends the waiting lines. Slack cannot recognise a repeated append, so each line is sent at most once. A line with
 * an unknown outcome is replaced by a gap. If the platform refuses all appends, the card shows the lines from then on.
 */
export async function appendWaiting(
  { adapters, store, log }: StreamParts,
  key: string,
  follow: Follow,
  signal: AbortSignal,
): Promise<Follow> {
  const { stream, card, asker } = follow;
  if (!stream || stream.waiting.length === 0) return follow;
  const streams = streamsOf(follow, adapters);
  if (!streams) return { ...follow, stream: undefined };
  const lines = newest(stream.waiting, streams.mostCharacters);
  await keep(store, key, { ...follow, stream: { ...stream, waiting: [], isSending: true } });
  signal.throwIfAborted();
  try {
    const to = { message: stream.message, under: card, reader: asker.id };
    const message = await streams.append(lines, to);
    return await keep(store, key, { ...follow, stream: { message, waiting: [], isSending: false } });
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    log.info({ code: error.code, err: error.cause }, 'tail: lines could not be appended');
    if (error.outcome === 'unknown') return await keep(store, key, withGap(follow));
    const waiting = error.retryable ? { ...stream, waiting: lines } : undefined;
    return await keep(store, key, { ...follow, stream: waiting });
  }
}

/**
 * Tells the platform that no more lines follow. A failure has no consequence, because Slack ends the message
 * automatically.
 */
export async function endStream({ adapters, log }: StreamParts, follow: Follow): Promise<void> {
  const { message } = follow.stream ?? {};
  if (!message) return;
  await streamsOf(follow, adapters)
    ?.end(message)
    .catch((error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error;
      log.info({ code: error.code }, 'tail: the end of the lines could not be told');
    });
}

function streamsOf({ card }: Follow, adapters: readonly Adapter[]) {
  return adapters.find(({ platform }) => platform === card.platform)?.streams;
}

/**
 * Stores the state of a follower during a run. If a person has stopped the follower in the meantime, the follower
 * remains stopped.
 */
async function keep(store: Store, key: string, follow: Follow): Promise<Follow> {
  await transact(store, async (tx) => {
    const task = { kind: FOLLOW, key };
    const stored = (await lockTask(tx, task)) as Follow | undefined;
    if (stored) await setPayload(tx, task, { ...follow, stoppedBy: stored.stoppedBy });
  });
  return follow;
}

/** Returns the newest lines that fit into one call. The first line says how many lines are left out. */
function newest(lines: readonly string[], most: number): readonly string[] {
  const note = (left: number) => `… ${counted(left, 'line')} are left out here.`;
  let room = most - note(lines.length).length - 1;
  let from = lines.length;
  while (from > 0 && room > (lines[from - 1] ?? '').length) room -= (lines[--from] ?? '').length + 1;
  if (from === 0) return lines;
  if (from === lines.length)
    return [note(from - 1), cutEnd(lines.at(-1) ?? '', room)].slice(from > 1 ? 0 : 1);
  return [note(from), ...lines.slice(from)];
}
