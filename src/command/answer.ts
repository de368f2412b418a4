import { randomBytes } from 'node:crypto';
import { type Asked, attributed, type Card, type Line, type Message } from '../chat/card.ts';
import type { AckMode, Invocation, MessageRef } from '../chat/port.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import { AppError, DeliveryError, InputError, RefusedError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Services } from './define.ts';
import { errorCard, errorLine, type Failure } from './error-card.ts';
import { interruptedLine, MAYBE } from './interrupted.ts';
import { type End, type InvocationRecord, type Invocations, TakenOver } from './invocations.ts';
import { nothingDone, type Permission } from './permissions.ts';
import { asTyped } from './tried.ts';

/** What an invocation came to, for the log. `incident` stands in what its person was shown. */
export interface Ending {
  /** `form`: a form was opened, whose submission is an invocation of its own. `unanswered`: nobody could be told. */
  readonly outcome:
    | 'done'
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
  readonly incident?: string;
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

/** What one invocation is answered with: given, left to the outbox where that must wait, or taken back. */
export class Answer {
  readonly #invocation: Invocation;
  readonly #parts: AnswerParts;
  #acknowledged: AckMode | undefined;
  /** Once it is stored. */
  #record: InvocationRecord | undefined;
  /** A card is shown, or may be, that somebody has to bring to an end. */
  #cardPosted = false;
  /** The command has come to its answer. */
  #answering = false;
  /** What the person has to be allowed to do for it. */
  permission: Permission = 'help';

  constructor(invocation: Invocation, parts: AnswerParts) {
    this.#invocation = invocation;
    this.#parts = parts;
  }

  /** From now on an answer may also be given later, and by another process. */
  stored(record: InvocationRecord): void {
    this.#record = record;
  }

  async acknowledge(mode: AckMode): Promise<void> {
    await this.#invocation.acknowledge(mode);
    this.#acknowledged = mode;
  }

  /** An answer that the platform does not take just now is given as soon as it does. */
  async respond(message: Message): Promise<void> {
    this.#answering = true;
    try {
      await this.#invocation.respond(message);
    } catch (error) {
      if (!(await this.#owed(error, message))) throw error;
    }
  }

  async postCard(message: Message): Promise<MessageRef> {
    await this.#parts.invocations.confirmInDoubt(this.#invocation.id);
    this.#cardPosted = true;
    return await this.#invocation.postCard(message).catch((error: unknown) => {
      this.#cardPosted = error instanceof DeliveryError && error.outcome === 'unknown';
      throw error;
    });
  }

  /**
   * `end` is what the invocation has come to with it. Of a change somebody hears in any case: what cannot be given at all
   * the outbox tells in the channel, by `orElse`.
   */
  async #owed(error: unknown, message: Message, end?: End, orElse?: Line): Promise<boolean> {
    const record = this.#record ?? this.#unstored();
    if (!record || !(error instanceof DeliveryError)) return false;
    const last = end !== undefined && this.#acknowledged !== undefined;
    if (!isPassing(error) && !(last && record.changes)) return false;
    // What failed is for its person alone, unless its card stands.
    const aside = end === 'failed' && record.mode === 'public' && !this.#cardPosted;
    const how = aside ? { mode: 'private' as const, reply: this.#invocation.reply('private') } : {};
    await this.#parts.invocations.owe({ ...record, ...how, orElse }, message, end);
    const { id } = this.#invocation;
    this.#parts.log.warn(
      { invocation: id, code: error.code },
      'invocation: its answer is left to the outbox',
    );
    return true;
  }

  /**
   * What was refused before anything of it was stored: nothing was done, and its person is told alone. Undefined where
   * only this process can tell them: its first response is still to come.
   */
  #unstored(): InvocationRecord | undefined {
    const { id, at, meanwhile, request, reply } = this.#invocation;
    if (!meanwhile) return undefined;
    const person = { id: meanwhile.askerId, name: meanwhile.askerId };
    const what = request.kind === 'command' ? request.command : (request.action?.command ?? '');
    return { id, at, person, what, changes: false, mode: 'private', reply: reply('private') };
  }

  /** Tells the person, whichever way is still open. What is not for people goes to the log. */
  async report(error: unknown): Promise<Ending> {
    const { id } = this.#invocation;
    if (error instanceof TakenOver) {
      await this.#takeBack();
      return { outcome: 'taken-over' };
    }
    const incident = randomBytes(4).toString('hex');
    const ending: Ending = { ...endingOf(error), incident };
    const begun = this.#acknowledged !== undefined;
    const failure: Failure = { error, incident, begun, effect: this.#effect(error) };
    const card = errorCard(failure);
    let told = true;
    try {
      await this.#tell(card);
    } catch (err) {
      this.#parts.log.warn(
        { err, invocation: id, incident },
        'invocation: the answer could not be delivered',
      );
      const line = this.#mayHaveBeenDone(error) ? undefined : errorLine(failure, this.#asked());
      if (await this.#owed(err, card, this.#record && 'failed', line)) return ending;
      told = false;
    }
    if (this.#record) await this.#parts.invocations.finish(id, 'failed');
    return told ? ending : { ...ending, outcome: 'unanswered' };
  }

  /** The card that was posted after another process had answered would stand for ever: it says what that one said. */
  async #takeBack(): Promise<void> {
    if (!this.#cardPosted || !this.#record) return;
    const { id, what, changes, person } = this.#record;
    const about = { what, changes, how: 'interrupted', mention: person } as const;
    try {
      await this.respond(interruptedLine(this.#parts.services.directory, about));
    } catch (err) {
      this.#parts.log.warn({ err, invocation: id }, 'invocation: its card could not be taken back');
    }
  }

  async #tell(card: Card): Promise<void> {
    const { request } = this.#invocation;
    const mode = this.#acknowledged;
    if (mode === undefined) return await this.#invocation.refuse(card);
    // What everybody sees is not to be replaced by one person's failure, unless it is the card of what failed.
    const shared = mode === 'update' && request.kind !== 'command' && request.source !== undefined;
    const aside = shared || (mode === 'public' && !this.#cardPosted);
    const privately = () => this.#invocation.respondPrivately(card);
    const inPlace = () =>
      this.#invocation.respond(mode === 'public' ? attributed(card, this.#asked()) : card);
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
  #asked(): Asked {
    const { request } = this.#invocation;
    const { command, target } = asTyped(request, this.#parts.services.directory);
    const { id, name } = this.#record?.person ?? { id: '', name: '' };
    if (request.kind !== 'command') return { id, name, command: request.action?.command ?? command };
    return { id, name, command: `${command} ${target ?? ''}`.trim() };
  }

  #mayHaveBeenDone(error: unknown): boolean {
    if (this.#acknowledged === undefined || isRefusal(error)) return this.#answering;
    // A command answers by itself where it cannot read again what it has changed.
    if (error instanceof EdgegapError) return error.method !== 'GET' && error.outcome !== 'not-done';
    return this.#answering || !(error instanceof DeliveryError);
  }

  /** For a person who asked for a change: what is known of it. */
  #effect(error: unknown): string | undefined {
    const nothing = nothingDone[this.permission];
    if (nothing === undefined || (isRefusal(error) && this.#acknowledged === undefined)) return undefined;
    if (!this.#mayHaveBeenDone(error)) return isPassing(error) ? `${nothing} Run it again.` : nothing;
    return error instanceof DeliveryError ? MAYBE : undefined;
  }
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
  if (error instanceof StoreError) return { outcome: 'failed', code, problem: error.problem, err: error };
  return { outcome: isRefusal(error) ? 'refused' : 'failed', code };
}
