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
import { createReadSteps, type End } from './read-steps.ts';

/** How long the store may take, in milliseconds, if the caller sets no time limit. */
const BEGIN_BUDGET_MS = 1_000;

export interface InvocationRecord {
  readonly id: string;
  readonly at: Address;
  readonly person: Pick<Person, 'id' | 'name'>;
  /** For example `stop` or `tags add`, or `stop:confirm` for a button. */
  readonly what: string;
  readonly changes: boolean;
  /** Whether the acknowledgement does not wait for the store. Such invocations are stored together. */
  readonly isAcknowledged?: boolean;
  readonly mode: AckMode;
  /**
   * The data with which other processes can answer. The data includes a token of the platform, so it is erased when the
   * invocation ends.
   */
  readonly reply: Reply | undefined;
  /** The line for the channel if the answer to a change can no longer be given. */
  readonly orElse?: Line | undefined;
}

/** The end of an invocation that could not be stored yet. */
interface UnstoredEnd {
  readonly end: End;
  /** Set if the row of the invocation may be missing, or may be written only later. */
  readonly uncertain?: InvocationRecord;
}

/** An answer for the outbox that could not be stored yet. */
interface LateAnswer {
  readonly record: InvocationRecord;
  readonly message: Message;
  readonly end: End | undefined;
  /**
   * The key of the delivery. With this key, repeated attempts write only a single row. This holds even if an attempt
   * was committed and only the answer to the commit was lost.
   */
  readonly key: string;
}

export interface InvocationsParts {
  readonly store: Store;
  readonly membership: Membership;
  readonly directory: Directory;
  readonly clock: Clock;
  /** The machine's clock, which measures how long the store takes, even if a test sets `clock`. */
  readonly realClock: Clock;
  readonly log: Logger;
}

export type Invocations = ReturnType<typeof createInvocations>;

/**
 * The table of invocations. With this table, every process recognises that a platform repeats an invocation, even after
 * a crash.
 */
export function createInvocations(parts: InvocationsParts) {
  const { store, membership, directory, clock, realClock, log } = parts;
  /** The ends of invocations that could not be stored yet, by the invocation's id. */
  const unstoredEnds = new Map<string, UnstoredEnd>();
  /** The answers that could be neither given nor left to the outbox so far, by the invocation's id. */
  const unstoredAnswers = new Map<string, LateAnswer>();
  /** The invocations that this process carries out, by id. */
  const underWay = new Map<string, Pick<InvocationRecord, 'isAcknowledged'>>();
  const reads = createReadSteps<InvocationRecord>({ insertAll, end });

  async function insertInTime(record: InvocationRecord, budgetMs: number): Promise<boolean> {
    const begun = record.isAcknowledged ? reads.begin(record) : insert(record);
    try {
      const taken = await within(realClock, budgetMs, begun);
      if (taken !== undefined) return taken;
    } catch (cause) {
      log.error({ err: cause, invocation: record.id }, 'invocation: cannot be stored');
      endIfStored(record);
      throw cause instanceof StoreError ? cause : notStored(cause);
    }
    // The person was told that nothing was done. If the row is written later nevertheless, the invocation is ended at
    // once.
    begun.then(
      async (taken) => {
        if (taken) await finish(record.id, 'failed');
      },
      () => endIfStored(record),
    );
    log.error({ invocation: record.id }, 'invocation: the store does not answer in time');
    throw notStored();
  }

  /**
   * Called when the store has failed, possibly after it wrote the row. The person was told that nothing was done, so
   * the row must be ended if it exists.
   */
  function endIfStored(record: InvocationRecord): void {
    if (!underWay.has(record.id)) unstoredEnds.set(record.id, { end: 'failed', uncertain: record });
  }

  async function insert(record: InvocationRecord): Promise<boolean> {
    return (await insertAll([record])).has(record.id);
  }

  /** Resolves with the ids of the invocations that were not stored before. */
  async function insertAll(records: readonly InvocationRecord[]): Promise<Set<string>> {
    if (records.length === 0) return new Set();
    // The rows are always in the same order. Otherwise two processes that store the same invocations could each wait for
    // the other.
    const rows = records
      .map((record) => ({ ...rowOf(record), state: 'running' as const, reply_json: replyOf(record) }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const inserted = await store
      .insertInto('invocations')
      .values(rows)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .returning('id')
      .execute();
    return new Set(inserted.map(({ id }) => id));
  }

  function rowOf({ id, at, person, what, changes }: InvocationRecord) {
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
   * Makes sure, until the transaction `tx` ends, that this process still carries out the invocation. Throws TakenOver
   * if another process has taken this process for dead and has answered the person.
   */
  async function confirm(tx: Store, id: string): Promise<void> {
    const { numUpdatedRows } = await updateRunning(tx, id).set({ holder: membership.id }).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new TakenOver();
  }

  /** Stores the end of an invocation. Never rejects. If the store fails now, the end is stored later. */
  async function finish(id: string, state: End): Promise<void> {
    const { isAcknowledged } = underWay.get(id) ?? {};
    underWay.delete(id);
    const answer = unstoredAnswers.get(id);
    if (answer) {
      // If the end were stored before the answer, a crash in between would lose the answer.
      unstoredAnswers.set(id, { ...answer, end: state });
      return;
    }
    try {
      await (isAcknowledged ? reads.end(id, state) : end([id], state));
    } catch (err) {
      log.error({ err, invocation: id }, 'invocation: the end could not be stored');
      unstoredEnds.set(id, { end: state });
    }
  }

  async function end(ids: readonly string[], state: End, db = store): Promise<void> {
    if (ids.length > 0)
      await updateRunning(db, ...ids)
        .set(endColumns(state))
        .execute();
  }

  /** An update of the rows of the invocations that this process still carries out. */
  function updateRunning(db: Store, ...ids: readonly string[]) {
    return db
      .updateTable('invocations')
      .where('id', 'in', ids)
      .where('state', '=', 'running')
      .where('holder', '=', membership.id);
  }

  /**
   * Stores the end of an invocation whose first insert may still be under way. The commit of the first insert may hang,
   * for example while the standby of the database is away. Both inserts have the same unique id. Therefore this insert
   * waits for the first insert, at most for as long as a transaction may last. If the first insert fails, the row of
   * this insert is stored instead.
   */
  async function endUncertain(record: InvocationRecord, state: End): Promise<void> {
    await transact(store, (tx) =>
      tx
        .insertInto('invocations')
        .values({ ...rowOf(record), ...endColumns(state) })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet(endColumns(state))
            .where('invocations.state', '=', 'running')
            .where('invocations.holder', '=', membership.id),
        )
        .execute(),
    );
  }

  function endColumns(state: End) {
    return { state, finished_at: clock.now(), reply_json: null };
  }

  async function storeAnswer({ record, message, end: state, key }: LateAnswer): Promise<void> {
    const { id, at, person, what, changes, mode, reply } = record;
    const about = { what, changes, how: 'unanswered', mention: person } as const;
    const { orElse = interruptedLine(directory, about) } = record;
    const [command = what] = what.split(':');
    await transact(store, async (tx) => {
      if (state) await end([id], state, tx);
      // The answer may come late, as a message on which no command is visible. Therefore a public answer names the
      // person and the command.
      const shown = mode === 'public' ? attributed(message, { ...person, command }) : message;
      const common = { orderKey: id, key, message: shown };
      if (reply)
        await enqueue(tx, clock, { ...common, kind: 'answer', at, reply, ...(changes ? { orElse } : {}) });
      else if (mode === 'private')
        await enqueue(tx, clock, { ...common, kind: 'tell', person: person.id, at });
      else await enqueue(tx, clock, { ...common, kind: 'post', to: at });
    });
  }

  /**
   * Ends the invocation in the transaction `tx` of its change, so that after a crash no process says that nothing was
   * done. Throws TakenOver like `confirm`.
   */
  async function conclude(tx: Store, id: string): Promise<void> {
    const { numUpdatedRows } = await updateRunning(tx, id).set(endColumns('done')).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new TakenOver();
  }

  return {
    /**
     * Stores the invocation. Returns false if the invocation was stored before. Throws AppError if the store fails, or
     * takes longer than `budgetMs` milliseconds.
     */
    async begin(record: InvocationRecord, budgetMs = BEGIN_BUDGET_MS): Promise<boolean> {
      const { id } = record;
      // The platform may have sent this invocation before, and the end of that attempt may not be stored yet. That end
      // must not end this attempt.
      const earlier = unstoredEnds.get(id);
      if (!underWay.has(id)) unstoredEnds.delete(id);
      const taken = await insertInTime(record, budgetMs);
      log.debug({ invocation: id, taken }, 'invocation: stored');
      if (taken) underWay.set(id, record);
      else if (earlier) unstoredEnds.set(id, earlier);
      if (record.isAcknowledged) await reads.turn();
      return taken;
    },
    /** Whether the invocation was stored before, by this or another process. */
    async isStored(id: string): Promise<boolean> {
      const row = await store.selectFrom('invocations').select('id').where('id', '=', id).executeTakeFirst();
      return row !== undefined;
    },
    confirm,
    conclude,
    /** Like `confirm`, but uses the store only if other processes may have taken this process for dead. */
    async confirmInDoubt(id: string): Promise<void> {
      if (!membership.isCertain()) await confirm(store, id);
    },
    finish,
    /** Stores the answers and ends that could not be stored before. */
    async catchUp(): Promise<void> {
      for (const [id, answer] of unstoredAnswers) {
        await storeAnswer(answer);
        const { end } = unstoredAnswers.get(id) ?? {};
        unstoredAnswers.delete(id);
        // The invocation ended while its answer was being stored.
        if (end && !answer.end) unstoredEnds.set(id, { end });
      }
      for (const [id, { end: state, uncertain }] of unstoredEnds) {
        await (uncertain ? endUncertain(uncertain, state) : end([id], state));
        unstoredEnds.delete(id);
      }
    },
    /**
     * Leaves an answer that cannot be given right now to the outbox. With `end`, the invocation ends with this answer.
     * Never rejects. If the store fails now, the answer is stored later, and the invocation does not end before that.
     */
    async leaveToOutbox(record: InvocationRecord, message: Message, end?: End): Promise<void> {
      const answer = { record, message, end, key: randomBytes(12).toString('hex') };
      try {
        await storeAnswer(answer);
      } catch (err) {
        log.error({ err, invocation: record.id }, 'invocation: the answer could not be stored');
        unstoredAnswers.set(record.id, answer);
      }
    },
  };
}

function replyOf({ mode, reply }: InvocationRecord): string {
  return JSON.stringify({ mode, reply });
}

/** Thrown if another process has taken this process for dead and has answered the person. */
export class TakenOver extends AppError {
  constructor() {
    super('taken-over', 'I was away for too long, and another process of mine has answered.');
  }
}

/** The store did not answer in time, so nothing was done. */
export function notStored(cause?: unknown): AppError {
  return new AppError('not-stored', 'I cannot write to my database, so I did nothing.', {
    hint: 'Try again in a moment. Whoever runs me finds the reason in my log.',
    cause,
  });
}
