import { DeliveryError } from '../errors.ts';
import type { OutboxRow } from './row.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
/**
 * Nothing is put off for longer, whatever the platform asks for: a time further ahead was written by a clock that was,
 * and has come.
 */
export const PUT_OFF_MAX_MS = 60 * 60_000;
/** After this long a message is no news any more. */
export const GIVE_UP_MS = 24 * 60 * 60_000;
/** No platform takes an answer for longer (Slack for 30 minutes). */
const ANSWER_GIVE_UP_MS = 30 * 60_000;
/** How often an adapter may meet an error of its own making over one message. */
const FAULTS_MAX = 3;

/** The code of an error of the adapter's own making. */
const FAULT = 'outbox-fault';

/** When to try a message again whose attempt failed, in epoch milliseconds; undefined where it ends. */
export function retryAt(row: OutboxRow, error: DeliveryError, now: number): number | undefined {
  // Two in a row, so that one fault after a long outage does not end it.
  const faulty = isFault(error) && row.reasonCode === FAULT && row.attempts >= FAULTS_MAX;
  if (isTooOld(row, now) || faulty || !(error.retryable || error.mendable)) return undefined;
  // What someone has to mend first is no use trying every few seconds.
  const backoff = error.retryable
    ? Math.min(RETRY_FIRST_MS * 2 ** (row.attempts - 1), RETRY_MAX_MS)
    : RETRY_MAX_MS;
  return now + Math.max(Math.min(error.retryAfterMs ?? 0, PUT_OFF_MAX_MS), backoff);
}

export function isTooOld({ kind, createdAt }: Pick<OutboxRow, 'kind' | 'createdAt'>, now: number): boolean {
  return now - createdAt > (kind === 'answer' ? ANSWER_GIVE_UP_MS : GIVE_UP_MS);
}

/** Whether the adapter threw what it should not. */
export function isFault({ code }: DeliveryError): boolean {
  return code === FAULT;
}

/** An adapter that throws anything else has a fault of its own; the message may or may not have been shown. */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  return new DeliveryError(FAULT, 'I failed at this message myself: a fault of the bot. Its log says more.', {
    cause: error,
    outcome: 'unknown',
    retryable: true,
  });
}

/** Why a message ended that was never, or not for a day, to be sent. */
export function tooOld({ reasonCode, reason }: Pick<OutboxRow, 'reasonCode' | 'reason'>): DeliveryError {
  return new DeliveryError(
    reasonCode ?? 'outbox-too-old',
    reason ?? 'It waited for too long: the platform, or the bot, was away.',
    { outcome: 'not-sent', retryable: false },
  );
}

/** For an operator: what happened, and what to do about it where there is something to do. */
export function sentenceOf({ userMessage, hint, mendable }: DeliveryError): string {
  return mendable && hint ? `${userMessage} ${hint}` : userMessage;
}

/** As a row of the outbox keeps it. */
export function reasonOf(error: DeliveryError) {
  return { reason_code: error.code, reason: sentenceOf(error) };
}
