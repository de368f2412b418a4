import { randomBytes } from 'node:crypto';
import type { Card, Message } from '../chat/card.ts';
import type { AckMode, Invocation, MessageRef } from '../chat/port.ts';
import { AppError, DeliveryError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Services } from './define.ts';
import { errorCard } from './error-card.ts';
import { interruptedLine } from './interrupted.ts';
import { type End, type InvocationRecord, type Invocations, TakenOver } from './invocations.ts';

/** What one invocation is answered with: given, left to the outbox where that must wait, or taken back. */
export class Answer {
  readonly #invocation: Invocation;
  readonly #services: Pick<Services, 'directory'>;
  readonly #invocations: Invocations;
  readonly #log: Logger;
  #acknowledged: AckMode | undefined;
  /** Once it is stored. */
  #record: InvocationRecord | undefined;
  /** A card is shown that somebody has to bring to an end. */
  #cardPosted = false;

  constructor(
    invocation: Invocation,
    parts: {
      readonly services: Pick<Services, 'directory'>;
      readonly invocations: Invocations;
      readonly log: Logger;
    },
  ) {
    this.#invocation = invocation;
    this.#services = parts.services;
    this.#invocations = parts.invocations;
    this.#log = parts.log;
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
    try {
      await this.#invocation.respond(message);
    } catch (error) {
      if (!(await this.#owed(error, message))) throw error;
    }
  }

  async postCard(message: Message): Promise<MessageRef> {
    await this.#invocations.confirmInDoubt(this.#invocation.id);
    const card = await this.#invocation.postCard(message);
    this.#cardPosted = true;
    return card;
  }

  /**
   * `end` is what the invocation has come to with it. Of a change somebody hears in any case: what cannot be given at all
   * the outbox tells in the channel.
   */
  async #owed(error: unknown, message: Message, end?: End): Promise<boolean> {
    const record = this.#record ?? this.#unstored();
    if (!record || !(error instanceof DeliveryError)) return false;
    const last = end !== undefined && this.#acknowledged !== undefined;
    if (!isPassing(error) && !(last && record.changes)) return false;
    await this.#invocations.owe(record, message, end);
    const { id } = this.#invocation;
    this.#log.warn({ invocation: id, code: error.code }, 'invocation: its answer is left to the outbox');
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
  async report(error: unknown): Promise<void> {
    const { id } = this.#invocation;
    if (error instanceof TakenOver) {
      this.#log.warn({ invocation: id }, 'invocation: another process has answered it');
      return await this.#takeBack();
    }
    const incident = randomBytes(4).toString('hex');
    if (error instanceof StoreError)
      this.#log.error(
        { invocation: id, code: error.code, problem: error.problem },
        'invocation: the database failed',
      );
    else if (error instanceof AppError)
      this.#log.info({ invocation: id, code: error.code }, 'invocation: refused or failed');
    else this.#log.error({ err: error, invocation: id, incident }, 'invocation: failed in an unexpected way');
    const card = errorCard(error, incident, this.#acknowledged !== undefined);
    try {
      await this.#tell(card);
    } catch (failure) {
      this.#log.warn(
        { err: failure, invocation: id, incident },
        'invocation: the answer could not be delivered',
      );
      if (await this.#owed(failure, card, this.#record && 'failed')) return;
    }
    if (this.#record) await this.#invocations.finish(id, 'failed');
  }

  /** The card that was posted after another process had answered would stand for ever: it says what that one said. */
  async #takeBack(): Promise<void> {
    if (!this.#cardPosted || !this.#record) return;
    const { id, what, changes, person } = this.#record;
    const about = { what, changes, how: 'interrupted', mention: person } as const;
    try {
      await this.respond(interruptedLine(this.#services.directory, about));
    } catch (err) {
      this.#log.warn({ err, invocation: id }, 'invocation: its card could not be taken back');
    }
  }

  async #tell(card: Card): Promise<void> {
    const { request } = this.#invocation;
    if (this.#acknowledged === undefined) return await this.#invocation.refuse(card);
    // What everybody sees, the live card above all, is not to be replaced by one person's failure.
    const shared =
      this.#acknowledged === 'update' && request.kind !== 'command' && request.source !== undefined;
    try {
      await (shared ? this.#invocation.respondPrivately(card) : this.#invocation.respond(card));
    } catch (error) {
      if (isPassing(error)) throw error;
      // A channel that cannot be posted in may be why it failed: the person is still there.
      if (shared || this.#acknowledged === 'private') throw error;
      await this.#invocation.respondPrivately(card);
    }
  }
}

function isPassing(error: unknown): error is DeliveryError {
  return error instanceof DeliveryError && error.retryable;
}
