import { DeliveryError } from '../errors.ts';
import type { OutboxRow } from './row.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
/**
 * The maximum delay, even if the platform asks for more. A time further in the future counts as reached, because the
 * clock that wrote it was ahead.
 */
export const PUT_OFF_MAX_MS = 60 * 60_000;
/** A message that is older than this is no longer news, and is given up. */
export const GIVE_UP_MS = 24 * 60 * 60_000;
/** No platform accepts an answer that is later than this (Slack: 30 minutes). */
const ANSWER_GIVE_UP_MS = 30 * 60_000;
/** A message is given up after two bugs in a row, but at the earliest after this number of attempts. */
const FAULTS_MAX = 3;

/** The error code for bugs in the bot. A bug means that an adapter threw an error that is not a DeliveryError. */
const FAULT = 'outbox-fault';

/**
 * The time at which to try a failed message again, in epoch milliseconds. Undefined if the message must be given up.
 */
export function retryAt(row: OutboxRow, error: DeliveryError, now: number): number | undefined {
  // A message is given up only after two bugs in a row. A single bug after a long outage is not enough.
  const faulty = isFault(error) && row.reasonCode === FAULT && row.attempts >= FAULTS_MAX;
  if (isTooOld(row, now) || faulty || !(error.retryable || error.mendable)) return undefined;
  // If a person must repair the cause, a retry within seconds is useless.
  const backoff = error.retryable
    ? Math.min(RETRY_FIRST_MS * 2 ** (row.attempts - 1), RETRY_MAX_MS)
    : RETRY_MAX_MS;
  return now + Math.max(Math.min(error.retryAfterMs ?? 0, PUT_OFF_MAX_MS), backoff);
}

export function isTooOld({ kind, createdAt }: Pick<OutboxRow, 'kind' | 'createdAt'>, now: number): boolean {
  return now - createdAt > (kind === 'answer' ? ANSWER_GIVE_UP_MS : GIVE_UP_MS);
}

export function isFault({ code }: DeliveryError): boolean {
  return code === FAULT;
}

/**
 * Returns a DeliveryError unchanged. Any other error is a bug in the bot, and the message may already have been shown.
 */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  return new DeliveryError(FAULT, 'I could not handle this message: a fault of mine. My log says more.', {
    cause: error,
    outcome: 'unknown',
    retryable: true,
  });
}

/** The reason for giving up an old message: its last failure, or its age if it never failed. */
export function tooOld({ reasonCode, reason }: Pick<OutboxRow, 'reasonCode' | 'reason'>): DeliveryError {
  return new DeliveryError(
    reasonCode ?? 'outbox-too-old',
    reason ?? 'The message waited for too long, because the platform or I was away.',
    { outcome: 'not-sent', retryable: false },
  );
}

/** Says what happened. If a person can repair the cause, also says how. */
export function sentenceOf({ userMessage, hint, mendable }: DeliveryError): string {
  return mendable && hint ? `${userMessage} ${hint}` : userMessage;
}

/** The reason of a failure, as columns of the outbox table. */
export function reasonOf(error: DeliveryError) {
  return { reason_code: error.code, reason: sentenceOf(error) };
}
