import { randomBytes } from 'node:crypto';
import {
  type Attribution,
  attributed,
  type Button,
  type Card,
  type Field,
  type Line,
  type Message,
} from '../chat/card.ts';
import type { AckMode, Invocation, MessageRef } from '../chat/port.ts';
import { commandIn, sourceIn } from '../chat/request.ts';
import { type Clock, within } from '../clock.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import { AppError, DeliveryError, InputError, RefusedError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Services } from './define.ts';
import { errorCard, errorLine, type Failure, type Remedy } from './error-card.ts';
import { interruptedLine, MAYBE_DONE } from './interrupted.ts';
import { type InvocationRecord, type Invocations, TakenOver } from './invocations.ts';
import { noEffect, type Permission } from './permissions.ts';
import { Question } from './question.ts';
import type { End } from './read-steps.ts';
import { summaryOf } from './request-summary.ts';

/**
 * How an invocation ended, for the log. `incident` is an id for the error. The error message to the person contains the
 * same id as a reference.
 */
export interface Ending {
  /**
   * `asked`: the bot showed a Question to the person. `form`: the bot opened a form. The submission of the form is a
   * separate invocation. `unanswered`: no answer reached the person. `repeat`: the platform sent an invocation that the
   * bot had already stored. `taken-over`: another process answered.
   */
  readonly outcome:
    | 'done'
    | 'asked'
    | 'form'
    | 'refused'
    | 'failed'
    | 'unknown'
    | 'unanswered'
    | 'repeat'
    | 'taken-over';
  readonly code?: string | undefined;
  /** The request_id of the new deployment, if known. */
  readonly deployment?: string | undefined;
  readonly incident?: string | undefined;
  /** Why the database failed, as a text for the operator. */
  readonly problem?: string;
  /** An error that the operator has to see in full. */
  readonly err?: unknown;
}

/** The ways to correct an error. `begun` says whether the bot has acknowledged the request. */
interface Mend {
  button(error: unknown, begun: boolean): Promise<Button | undefined>;
  /**
   * The values that the person entered. The answer shows these values if it has no button. Empty if no values are lost.
   */
  entered(error: unknown, begun: boolean): readonly Field[];
}

/** The maximum time to prepare a button for the answer about a failure, in milliseconds of real time. */
const MEND_MS = 500;

interface AnswerParts {
  readonly services: Pick<Services, 'directory'>;
  readonly invocations: Invocations;
  readonly realClock: Clock;
  readonly log: Logger;
}

export type Answer = ReturnType<typeof createAnswer>;

/**
 * Sends the answer to a single invocation. If the platform does not accept the answer now, the outbox sends it later.
 */
export function createAnswer(invocation: Invocation, { services, invocations, realClock, log }: AnswerParts) {
  const { directory } = services;
  const { id, request } = invocation;
  let acknowledged: AckMode | undefined;
  /** The stored record of the invocation. Undefined until the record is stored. */
  let stored: InvocationRecord | undefined;
  /** Whether the command's card is visible in the chat, or may be visible. A visible card must not stay unfinished. */
  let cardPosted = false;
  /** Whether the command has begun to answer. */
  let answering = false;
  /** The permission that the request needs. */
  let permission: Permission = 'help';
  /** The ways in which the person can correct the error. */
  let mend: Mend | undefined;

  /** The options whose values are in no field of the submitted form. */
  let unseen: readonly string[] = [];

  /** Sends the answer directly. If the platform does not accept the answer now, leaves the answer to the outbox. */
  async function respond(message: Message): Promise<void> {
    answering = true;
    try {
      await invocation.respond(message);
    } catch (error) {
      if (!(await leftToOutbox(error, message))) throw error;
    }
  }

  /**
   * Leaves the answer `message` to the outbox. `error` is the reason why the bot could not send the answer directly.
   * Returns false if the outbox cannot send this answer. With `end`, the invocation ends with this answer. `orElse` is
   * a line for the channel. The outbox posts this line if the invocation changes something and the outbox cannot
   * deliver the last answer.
   */
  async function leftToOutbox(error: unknown, message: Message, end?: End, orElse?: Line): Promise<boolean> {
    const record = stored ?? unstoredRecord();
    if (!record || !(error instanceof DeliveryError)) return false;
    const last = end !== undefined && acknowledged !== undefined;
    if (!isPassing(error) && !(last && record.changes)) return false;
    // A message about a failure is private, unless the command's card is already visible in the channel.
    const isPrivate = end === 'failed' && record.mode === 'public' && !cardPosted;
    const how = isPrivate ? { mode: 'private' as const, reply: invocation.reply('private') } : {};
    await invocations.leaveToOutbox({ ...record, ...how, orElse }, message, end);
    log.warn({ invocation: id, code: error.code }, 'invocation: the answer is left to the outbox');
    return true;
  }

  /**
   * The record for an invocation that the bot refused before storing it. The request changed nothing, and the answer is
   * private. Undefined if the platform still waits for the first response, because only this process can send that
   * response.
   */
  function unstoredRecord(): InvocationRecord | undefined {
    const { at, meanwhile, reply } = invocation;
    if (!meanwhile) return undefined;
    const person = { id: meanwhile.askerId, name: meanwhile.askerId };
    return {
      id,
      at,
      person,
      what: commandIn(request),
      changes: false,
      mode: 'private',
      reply: reply('private'),
    };
  }

  /**
   * Called after another process has taken over the invocation and has posted a line about the interruption. Replaces
   * this process's card by the same line, because the card would otherwise look unfinished.
   */
  async function takeBack(): Promise<void> {
    if (!cardPosted || !stored) return;
    const { what, changes, person } = stored;
    try {
      await respond(interruptedLine(directory, { what, changes, how: 'interrupted', mention: person }));
    } catch (err) {
      log.warn({ err, invocation: id }, 'invocation: the card could not be taken back');
    }
  }

  /** Shows the error next to the form field that caused the error. Returns false if this is not possible. */
  async function refusedAtField(error: unknown): Promise<boolean> {
    // After the bot has stored a submission, the form must close: the bot would ignore a second submission as a repeat.
    const option = optionOf(error);
    if (!(error instanceof AppError) || option === undefined || stored || acknowledged) return false;
    if (unseen.includes(option)) return false;
    const { userMessage, hint } = error instanceof StoreError ? error.nothingDone() : error;
    const text = [userMessage, hint].filter(Boolean).join(' ');
    return (await invocation.refuseField?.(option, text)) ?? false;
  }

  /**
   * The option at whose field the error is shown. A temporary refusal is shown at the first field, so that the form
   * stays open with its values.
   */
  function optionOf(error: unknown): string | undefined {
    if (error instanceof InputError) return error.option;
    return request.kind === 'form' && passes(error) ? Object.keys(request.fields)[0] : undefined;
  }

  async function mended(error: unknown, begun: boolean): Promise<Remedy> {
    if (!mend) return {};
    try {
      const button = await within(realClock, MEND_MS, mend.button(error, begun));
      if (button) return { button };
    } catch (err) {
      log.warn({ err, invocation: id }, 'invocation: the form for a correction could not be kept');
    }
    return { entered: mend.entered(error, begun) };
  }

  async function showError(card: Card): Promise<void> {
    const mode = acknowledged;
    if (mode === undefined) return await invocation.refuse(card);
    // An error message must not replace the message whose button the person pressed. The whole channel may see that
    // message, or that message may contain the answer to an earlier press. Only the card of the failed command itself
    // may be replaced.
    const shared = mode === 'update' && sourceIn(request) !== undefined;
    const isPrivate = mode === 'update' || (mode === 'public' && !cardPosted);
    const privately = () => invocation.respondPrivately(card);
    const inPlace = () => invocation.respond(mode === 'public' ? attributed(card, attribution()) : card);
    try {
      await (isPrivate ? privately() : inPlace());
    } catch (error) {
      if (isPassing(error)) throw error;
      // If the channel does not accept the answer, a private answer may still reach the person. If the private answer
      // fails, an answer in the channel may still reach the person.
      if (shared || mode === 'private') throw error;
      await (isPrivate ? inPlace() : privately());
    }
  }

  /** The names of the person and the command, for an answer that the whole channel reads. */
  function attribution(): Attribution {
    const { command, target } = summaryOf(request, directory);
    const person = stored?.person ?? { id: '', name: '' };
    if (request.kind !== 'command') return { ...person, command: commandIn(request) || command };
    return { ...person, command: `${command} ${target ?? ''}`.trim() };
  }

  function mayHaveBeenDone(error: unknown): boolean {
    if (acknowledged === undefined || isRefusal(error)) return answering;
    // If a command fails at a GET request, the command has changed nothing. A command that has already made a change
    // does not fail if a later GET request fails.
    if (error instanceof EdgegapError) return error.method !== 'GET' && error.outcome !== 'not-done';
    return answering || !(error instanceof DeliveryError);
  }

  /**
   * A sentence which says whether the failed request changed anything. Undefined if the error message itself says so.
   */
  function effect(error: unknown): string | undefined {
    const nothing = noEffect[permission];
    if (nothing === undefined || (isRefusal(error) && acknowledged === undefined)) return undefined;
    if (!mayHaveBeenDone(error)) return isPassing(error) ? `${nothing} Ask again.` : nothing;
    return error instanceof DeliveryError ? MAYBE_DONE : undefined;
  }

  return {
    /** Records the permission that the request needs. */
    needs(wanted: Permission): void {
      permission = wanted;
    },
    /** Records the ways in which the person can correct an error. */
    remedy(how: Mend): void {
      mend = how;
    },
    /** Records the options whose values are in no field, so that no field can show an error about these values. */
    unseen(options: readonly string[]): void {
      unseen = options;
    },
    /** Records that the invocation is stored. From now on, the bot can answer later, and another process can answer. */
    stored(record: InvocationRecord): void {
      stored = record;
    },
    async acknowledge(mode: AckMode): Promise<void> {
      await invocation.acknowledge(mode);
      acknowledged = mode;
    },
    respond,
    async postCard(message: Message, under?: MessageRef): Promise<MessageRef> {
      await invocations.confirmInDoubt(id);
      cardPosted = true;
      return await invocation.postCard(message, under).catch((error: unknown) => {
        cardPosted = error instanceof DeliveryError && error.outcome === 'unknown';
        throw error;
      });
    },
    /** Tells the person about the error, directly or through the outbox, and returns the details for the log. */
    async report(error: unknown): Promise<Ending> {
      if (error instanceof TakenOver) {
        await takeBack();
        return { outcome: 'taken-over' };
      }
      const incident = randomBytes(4).toString('hex');
      const ending: Ending = { incident, ...endingOf(error) };
      const begun = acknowledged !== undefined;
      if (await refusedAtField(error)) return { ...ending, incident: undefined };
      const failure: Failure = { error, incident, begun, effect: effect(error) };
      const card = error instanceof Question ? error.card : errorCard(failure, await mended(error, begun));
      let told = true;
      try {
        await showError(card);
      } catch (err) {
        log.warn({ err, invocation: id, incident }, 'invocation: the answer could not be delivered');
        const line = mayHaveBeenDone(error) ? undefined : errorLine(failure, attribution());
        if (await leftToOutbox(err, card, stored && 'failed', line)) return ending;
        told = false;
      }
      if (stored) await invocations.finish(id, 'failed');
      return told ? ending : { ...ending, outcome: 'unanswered' };
    },
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof InputError || error instanceof RefusedError;
}

/** Whether the same form may succeed later, because the error is temporary and nothing was changed. */
function passes(error: unknown): boolean {
  if (error instanceof RefusedError) return error.later;
  return (
    error instanceof StoreError ||
    isPassing(error) ||
    (error instanceof AppError && error.code === 'not-stored')
  );
}

function isPassing(error: unknown): error is DeliveryError {
  return error instanceof DeliveryError && error.retryable;
}

function endingOf(error: unknown): Ending {
  if (!(error instanceof AppError)) return { outcome: 'failed', err: error };
  const { code } = error;
  if (error instanceof Question) return { outcome: 'asked', code, incident: undefined };
  if (error instanceof StoreError) return { outcome: 'failed', code, problem: error.problem, err: error };
  return { outcome: isRefusal(error) ? 'refused' : 'failed', code };
}
