import { randomBytes } from 'node:crypto';
import { type Attribution, attributed, type Card, type Line, type Message } from '../chat/card.ts';
import type { AckMode, Invocation, MessageRef } from '../chat/port.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import { AppError, DeliveryError, InputError, RefusedError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Services } from './define.ts';
import { errorCard, errorLine, type Failure } from './error-card.ts';
import { interruptedLine, MAYBE } from './interrupted.ts';
import { type End, type InvocationRecord, type Invocations, TakenOver } from './invocations.ts';
import { nothingDone, type Permission } from './permissions.ts';
import { Question } from './question.ts';
import { summaryOf } from './request-summary.ts';

/** What an invocation came to, for the log. `incident` stands in what its person was shown. */
export interface Ending {
  /**
   * `form`: a form was opened, whose submission is an invocation of its own. `unanswered`: nobody could be told.
   * `asked`: a Question was shown.
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
  /** The request_id of what was deployed, as far as it is known. */
  readonly deployment?: string | undefined;
  readonly incident?: string | undefined;
  /** Why the database failed, in words. */
  readonly problem?: string;
  /** What the operator has to see whole. */
  readonly err?: unknown;
}

interface AnswerParts {
  readonly services: Pick<Services, 'directory'>;
  readonly invocations: Invocations;
  readonly log: Logger;
}

export type Answer = ReturnType<typeof createAnswer>;

/** What one invocation is answered with: given, left to the outbox where that must wait, or taken back. */
export function createAnswer(invocation: Invocation, { services, invocations, log }: AnswerParts) {
  const { directory } = services;
  const { id, request } = invocation;
  let acknowledged: AckMode | undefined;
  /** Once it is stored. */
  let stored: InvocationRecord | undefined;
  /** A card is shown, or may be, that somebody has to bring to an end. */
  let cardPosted = false;
  /** The command has come to its answer. */
  let answering = false;
  /** What the person has to be allowed to do for it. */
  let permission: Permission = 'help';

  /** An answer that the platform does not take just now is given as soon as it does. */
  async function respond(message: Message): Promise<void> {
    answering = true;
    try {
      await invocation.respond(message);
    } catch (error) {
      if (!(await owed(error, message))) throw error;
    }
  }

  /**
   * `end` is what the invocation has come to with it. Of a change somebody hears in any case: what cannot be given at all
   * the outbox tells in the channel, by `orElse`.
   */
  async function owed(error: unknown, message: Message, end?: End, orElse?: Line): Promise<boolean> {
    const record = stored ?? unstored();
    if (!record || !(error instanceof DeliveryError)) return false;
    const last = end !== undefined && acknowledged !== undefined;
    if (!isPassing(error) && !(last && record.changes)) return false;
    // What failed is for its person alone, unless its card stands.
    const aside = end === 'failed' && record.mode === 'public' && !cardPosted;
    const how = aside ? { mode: 'private' as const, reply: invocation.reply('private') } : {};
    await invocations.owe({ ...record, ...how, orElse }, message, end);
    log.warn({ invocation: id, code: error.code }, 'invocation: its answer is left to the outbox');
    return true;
  }

  /**
   * What was refused before anything of it was stored: nothing was done, and its person is told alone. Undefined where
   * only this process can tell them: its first response is still to come.
   */
  function unstored(): InvocationRecord | undefined {
    const { at, meanwhile, reply } = invocation;
    if (!meanwhile) return undefined;
    const person = { id: meanwhile.askerId, name: meanwhile.askerId };
    const what = request.kind === 'command' ? request.command : (request.action?.command ?? '');
    return { id, at, person, what, changes: false, mode: 'private', reply: reply('private') };
  }

  /** The card that was posted after another process had answered would stand for ever: it says what that one said. */
  async function takeBack(): Promise<void> {
    if (!cardPosted || !stored) return;
    const { what, changes, person } = stored;
    try {
      await respond(interruptedLine(directory, { what, changes, how: 'interrupted', mention: person }));
    } catch (err) {
      log.warn({ err, invocation: id }, 'invocation: its card could not be taken back');
    }
  }

  async function tell(card: Card): Promise<void> {
    const mode = acknowledged;
    if (mode === undefined) return await invocation.refuse(card);
    // What everybody sees is not to be replaced by one person's failure, unless it is the card of what failed.
    const shared = mode === 'update' && request.kind !== 'command' && request.source !== undefined;
    const aside = shared || (mode === 'public' && !cardPosted);
    const privately = () => invocation.respondPrivately(card);
    const inPlace = () => invocation.respond(mode === 'public' ? attributed(card, asked()) : card);
    try {
      await (aside ? privately() : inPlace());
    } catch (error) {
      if (isPassing(error)) throw error;
      // A channel that cannot be posted in may be why it failed: the person is still there.
      if (shared || mode === 'private') throw error;
      await (aside ? inPlace() : privately());
    }
  }

  /** Who asked, for what is said where others read it. */
  function asked(): Attribution {
    const { command, target } = summaryOf(request, directory);
    const person = stored?.person ?? { id: '', name: '' };
    if (request.kind !== 'command') return { ...person, command: request.action?.command ?? command };
    return { ...person, command: `${command} ${target ?? ''}`.trim() };
  }

  function mayHaveBeenDone(error: unknown): boolean {
    if (acknowledged === undefined || isRefusal(error)) return answering;
    // A command answers by itself where it cannot read again what it has changed.
    if (error instanceof EdgegapError) return error.method !== 'GET' && error.outcome !== 'not-done';
    return answering || !(error instanceof DeliveryError);
  }

  /** For a person who asked for a change: what is known of it. */
  function effect(error: unknown): string | undefined {
    const nothing = nothingDone[permission];
    if (nothing === undefined || (isRefusal(error) && acknowledged === undefined)) return undefined;
    if (!mayHaveBeenDone(error)) return isPassing(error) ? `${nothing} Run it again.` : nothing;
    return error instanceof DeliveryError ? MAYBE : undefined;
  }

  return {
    /** What the person has to be allowed to do is known. */
    needs(wanted: Permission): void {
      permission = wanted;
    },
    /** From now on an answer may also be given later, and by another process. */
    stored(record: InvocationRecord): void {
      stored = record;
    },
    async acknowledge(mode: AckMode): Promise<void> {
      await invocation.acknowledge(mode);
      acknowledged = mode;
    },
    respond,
    async postCard(message: Message): Promise<MessageRef> {
      await invocations.confirmInDoubt(id);
      cardPosted = true;
      return await invocation.postCard(message).catch((error: unknown) => {
        cardPosted = error instanceof DeliveryError && error.outcome === 'unknown';
        throw error;
      });
    },
    /** Tells the person, whichever way is still open. What is not for people goes to the log. */
    async report(error: unknown): Promise<Ending> {
      if (error instanceof TakenOver) {
        await takeBack();
        return { outcome: 'taken-over' };
      }
      const incident = randomBytes(4).toString('hex');
      const ending: Ending = { incident, ...endingOf(error) };
      const begun = acknowledged !== undefined;
      const failure: Failure = { error, incident, begun, effect: effect(error) };
      const card = error instanceof Question ? error.card : errorCard(failure);
      let told = true;
      try {
        await tell(card);
      } catch (err) {
        log.warn({ err, invocation: id, incident }, 'invocation: the answer could not be delivered');
        const line = mayHaveBeenDone(error) ? undefined : errorLine(failure, asked());
        if (await owed(err, card, stored && 'failed', line)) return ending;
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
