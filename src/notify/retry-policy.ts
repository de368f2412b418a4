import { DeliveryError } from '../errors.ts';
import type { OutboxRow } from './row.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
/**
 * The longest delay, whatever the platform asks for. A time further ahead was written by a clock that was ahead, and
 * counts as reached.
 */
export const PUT_OFF_MAX_MS = 60 * 60_000;
/** After this time a message is no news any more. */
export const GIVE_UP_MS = 24 * 60 * 60_000;
/** No platform takes an answer after this time (Slack: 30 minutes). */
const ANSWER_GIVE_UP_MS = 30 * 60_000;
/** From this attempt on, two faults in a row end a message. */
const FAULTS_MAX = 3;

/** The code of a fault of the bot: an adapter threw an error that is no DeliveryError. */
const FAULT = 'outbox-fault';

/** When to try a failed message again, in epoch milliseconds; undefined if the message ends. */
export function retryAt(row: OutboxRow, error: DeliveryError, now: number): number | undefined {
  // Two in a row: a single fault after a long outage must not end the message.
  const faulty = isFault(error) && row.reasonCode === FAULT && row.attempts >= FAULTS_MAX;
  if (isTooOld(row, now) || faulty || !(error.retryable || error.mendable)) return undefined;
  // An error that a person has to repair does not pass within seconds.
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

/** Any other error of an adapter is a fault of the bot; the message may or may not have been shown. */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  return new DeliveryError(FAULT, 'I could not handle this message: a fault of mine. My log says more.', {
    cause: error,
    outcome: 'unknown',
    retryable: true,
  });
}

/** Why an old message ends: the last failure, if any, or the age. */
export function tooOld({ reasonCode, reason }: Pick<OutboxRow, 'reasonCode' | 'reason'>): DeliveryError {
  return new DeliveryError(
    reasonCode ?? 'outbox-too-old',
    reason ?? 'The message waited for too long, because the platform or I was away.',
    { outcome: 'not-sent', retryable: false },
  );
}

/** What happened and, if a repair is possible, the next step. */
export function sentenceOf({ userMessage, hint, mendable }: DeliveryError): string {
  return mendable && hint ? `${userMessage} ${hint}` : userMessage;
}

/** The reason as columns of the outbox. */
export function reasonOf(error: DeliveryError) {
  return { reason_code: error.code, reason: sentenceOf(error) };
}
