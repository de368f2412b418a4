import { DeliveryError } from '../errors.ts';
import type { OutboxRow } from './row.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
/** After this long a message is no news any more. */
export const GIVE_UP_MS = 24 * 60 * 60_000;
/** How often an adapter may meet an error of its own making over one message. */
const FAULTS_MAX = 3;

/** What becomes of a message whose attempt failed. */
export type Fate =
  | { readonly kind: 'again'; readonly at: number }
  /** It was part of a digest that is refused for good, which need not be its own fault: it goes by itself. */
  | { readonly kind: 'alone' }
  | { readonly kind: 'never' };

/** `faults` counts the attempts at it, this one included, in which the adapter met an error of its own making. */
export function fateOf(
  row: OutboxRow,
  error: DeliveryError,
  attempt: { readonly now: number; readonly faults: number; readonly folded: boolean },
): Fate {
  const { now, faults, folded } = attempt;
  if (isTooOld(row, now)) return { kind: 'never' };
  if (faults >= FAULTS_MAX || !(error.retryable || error.mendable))
    return { kind: folded ? 'alone' : 'never' };
  // What someone has to mend first is no use trying every few seconds.
  const backoff = error.retryable
    ? Math.min(RETRY_FIRST_MS * 2 ** (row.attempts - 1), RETRY_MAX_MS)
    : RETRY_MAX_MS;
  return { kind: 'again', at: now + Math.max(error.retryAfterMs ?? 0, backoff) };
}

export function isTooOld({ createdAt }: Pick<OutboxRow, 'createdAt'>, now: number): boolean {
  return now - createdAt > GIVE_UP_MS;
}

/** An adapter that throws anything else has a fault of its own; the message may or may not have been shown. */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  return new DeliveryError('delivery-failed', 'The message could not be delivered.', {
    cause: error,
    outcome: 'unknown',
    retryable: true,
  });
}
