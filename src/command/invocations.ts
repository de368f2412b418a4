import { randomBytes } from 'node:crypto';
import { attributed, type Line, type Message } from '../chat/card.ts';
import type { AckMode, Address, Person, Reply } from '../chat/port.ts';
import { type Clock, within } from '../clock.ts';
import { addressColumns } from '../deployments/deployment.ts';
import { AppError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import type { Directory } from './define.ts';
import { interruptedLine } from './interrupted.ts';

/** How long the store may take when nobody says more precisely when the person must have an answer, in milliseconds. */
const BEGIN_BUDGET_MS = 1_000;

export interface InvocationRecord {
  readonly id: string;
  readonly at: Address;
  readonly person: Pick<Person, 'id' | 'name'>;
  /** `stop`, `tags add`, or `stop:confirm` for a button. */
  readonly what: string;
  readonly changes: boolean;
  readonly mode: AckMode;
  /** How another process can answer it. Holds a token of the platform, so it is kept no longer than it is needed. */
  readonly reply: Reply | undefined;
  /** What the channel reads where the answer to a change can be given no more. */
  readonly orElse?: Line | undefined;
}

export type End = 'done' | 'failed';

/** An end that is still to be written down. */
interface Unrecorded {
  readonly end: End;
  /** Of one that may not be stored at all, or only in a while. */
  readonly unsure?: InvocationRecord;
}

interface Owed {
  readonly record: InvocationRecord;
  readonly message: Message;
  readonly end: End | undefined;
  /** The delivery's own, so that it is written once however often that is tried: a commit's answer may be lost. */
  readonly key: string;
}

export interface InvocationsParts {
  readonly store: Store;
  readonly membership: Membership;
  readonly directory: Directory;
  readonly clock: Clock;
  /** The machine's own: how long the store takes is a matter of real time, also where the rest lives by another clock. */
  readonly realClock: Clock;
  readonly log: Logger;
}

/**
 * The table of invocations: what makes a platform's retry the same invocation, on whichever process and also after a
 * crash.
 */
export class Invocations {
  readonly #parts: InvocationsParts;
  /** Ends that could not be written down. */
  readonly #unrecorded = new Map<string, Unrecorded>();
  /** Answers that could neither be given nor left to the outbox. */
  readonly #unowed = new Map<string, Owed>();
  /** What this process carries out. */
  readonly #underWay = new Set<string>();

  constructor(parts: InvocationsParts) {
    this.#parts = parts;
  }

  /**
   * Writes one down; false when it was here before. Throws AppError where the store does not take it within `budgetMs`
   * milliseconds.
   */
  async begin(record: InvocationRecord, budgetMs = BEGIN_BUDGET_MS): Promise<boolean> {
    const { id } = record;
    // The end of an earlier delivery is not to become this one's.
    const owed = this.#unrecorded.get(id);
    if (!this.#underWay.has(id)) this.#unrecorded.delete(id);
    const taken = await this.#begin(record, budgetMs);
    if (taken) this.#underWay.add(id);
    else if (owed) this.#unrecorded.set(id, owed);
    return taken;
  }

  async #begin(record: InvocationRecord, budgetMs: number): Promise<boolean> {
    const { realClock, log } = this.#parts;
    const begun = this.#insert(record);
    try {
      const taken = await within(realClock, budgetMs, begun);
      if (taken !== undefined) return taken;
    } catch (cause) {
      log.error({ err: cause, invocation: record.id }, 'invocation: cannot be stored');
      this.#mayBeStored(record);
      throw cause instanceof StoreError ? cause : notStored(cause);
    }
    // Should it be written after all, it is over: its person was told that nothing was done.
    begun.then(
      async (taken) => {
        if (taken) await this.finish(record.id, 'failed');
      },
      () => this.#mayBeStored(record),
    );
    log.error({ invocation: record.id }, 'invocation: the store does not answer in time');
    throw notStored();
  }

  /** The store failed, perhaps after it had written: then it is over, as its person was told that nothing was done. */
  #mayBeStored(record: InvocationRecord): void {
    const { id } = record;
    if (!this.#underWay.has(id)) this.#unrecorded.set(id, { end: 'failed', unsure: record });
  }

  async #insert(record: InvocationRecord): Promise<boolean> {
    const { mode, reply } = record;
    const { numInsertedOrUpdatedRows } = await this.#parts.store
      .insertInto('invocations')
      .values({ ...this.#row(record), state: 'running', reply_json: JSON.stringify({ mode, reply }) })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    return (numInsertedOrUpdatedRows ?? 0n) > 0n;
  }

  #row({ id, at, person, what, changes }: InvocationRecord) {
    const { membership, clock } = this.#parts;
    return {
      id,
      ...addressColumns(at),
      asker_id: person.id,
      asker_name: person.name,
      what,
      changes: changes ? 1 : 0,
      created_at: clock.now(),
      holder: membership.id,
    };
  }

  /**
   * Makes sure, until the transaction `tx` ends, that this process still carries the invocation out. Throws TakenOver
   * once it was taken for dead: then another one has told the person what has become of it.
   */
  async confirm(tx: Store, id: string): Promise<void> {
    const holder = this.#parts.membership.id;
    const { numUpdatedRows } = await this.#running(tx, id).set({ holder }).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new TakenOver();
  }

  /** Before all see something of it: the same, asked where this process has reason to doubt it. */
  async confirmInDoubt(id: string): Promise<void> {
    const { membership, store } = this.#parts;
    if (!membership.isCertain()) await this.confirm(store, id);
  }

  /** Never rejects: an end that the store does not take now is written down later. */
  async finish(id: string, end: End): Promise<void> {
    this.#underWay.delete(id);
    const owed = this.#unowed.get(id);
    if (owed) {
      // Were it over before its answer is stored, a crash would take the answer along.
      this.#unowed.set(id, { ...owed, end });
      return;
    }
    try {
      await this.#end(id, end);
    } catch (err) {
      this.#parts.log.error({ err, invocation: id }, 'invocation: its end could not be stored');
      this.#unrecorded.set(id, { end });
    }
  }

  /** Writes down what the store did not take. */
  async catchUp(): Promise<void> {
    for (const [id, owed] of this.#unowed) {
      await this.#owe(owed);
      const { end } = this.#unowed.get(id) ?? {};
      this.#unowed.delete(id);
      // It came to its end in this moment.
      if (end && !owed.end) this.#unrecorded.set(id, { end });
    }
    for (const [id, { end, unsure }] of this.#unrecorded) {
      if (unsure) await this.#endUnsure(unsure, end);
      else await this.#end(id, end);
      this.#unrecorded.delete(id);
    }
  }

  async #end(id: string, state: End, db = this.#parts.store): Promise<void> {
    await this.#running(db, id).set(this.#over(state)).execute();
  }

  /** For a change to one that this process still carries out. */
  #running(db: Store, id: string) {
    return db
      .updateTable('invocations')
      .where('id', '=', id)
      .where('state', '=', 'running')
      .where('holder', '=', this.#parts.membership.id);
  }

  /**
   * The same for one that may be stored only in a while: its commit may hang, at a database whose standby is away for
   * example. The insert waits for it by its unique id, for as long as a transaction may, and else takes its place.
   */
  async #endUnsure(record: InvocationRecord, state: End): Promise<void> {
    const over = this.#over(state);
    await transact(this.#parts.store, (tx) =>
      tx
        .insertInto('invocations')
        .values({ ...this.#row(record), ...over })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet(over)
            .where('invocations.state', '=', 'running')
            .where('invocations.holder', '=', this.#parts.membership.id),
        )
        .execute(),
    );
  }

  #over(state: End) {
    return { state, finished_at: this.#parts.clock.now(), reply_json: null };
  }

  /**
   * Leaves an answer that cannot be given right now to the outbox; with `end` it was the last of it. Never rejects: what
   * the store does not take now is written down later, and until then the invocation is not over.
   */
  async owe(record: InvocationRecord, message: Message, end?: End): Promise<void> {
    const owed = { record, message, end, key: randomBytes(12).toString('hex') };
    try {
      await this.#owe(owed);
    } catch (err) {
      this.#parts.log.error({ err, invocation: record.id }, 'invocation: its answer could not be stored');
      this.#unowed.set(record.id, owed);
    }
  }

  async #owe({ record, message, end, key }: Owed): Promise<void> {
    const { id, at, person, what, changes, mode, reply } = record;
    const { store, clock, directory } = this.#parts;
    const about = { what, changes, how: 'unanswered', mention: person } as const;
    const { orElse = interruptedLine(directory, about) } = record;
    const [command = what] = what.split(':');
    await transact(store, async (tx) => {
      if (end) await this.#end(id, end, tx);
      // By then it may have to stand in the channel by itself.
      const shown = mode === 'public' ? attributed(message, { ...person, command }) : message;
      const common = { orderKey: id, key, message: shown };
      if (reply)
        await enqueue(tx, clock, { ...common, kind: 'answer', at, reply, ...(changes ? { orElse } : {}) });
      else if (mode === 'private')
        await enqueue(tx, clock, { ...common, kind: 'tell', person: person.id, at });
      else await enqueue(tx, clock, { ...common, kind: 'post', to: at });
    });
  }
}

/** Another process has answered in this one's place. */
export class TakenOver extends AppError {
  constructor() {
    super('taken-over', 'I was away for too long, and another of me has answered.');
  }
}

function notStored(cause?: unknown): AppError {
  return new AppError('not-stored', 'I cannot write to my database, so I did nothing.', {
    hint: 'Try again in a moment. Whoever runs me finds the reason in my log.',
    cause,
  });
}
