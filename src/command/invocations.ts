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

/** The time limit for storing an invocation, in milliseconds, if the caller sets no limit. */
const BEGIN_BUDGET_MS = 1_000;

export interface InvocationRecord {
  readonly id: string;
  readonly at: Address;
  readonly person: Pick<Person, 'id' | 'name'>;
  /** For example `stop` or `tags add`, or `stop:confirm` for a button. */
  readonly what: string;
  readonly changes: boolean;
  /**
   * Whether the bot acknowledges the invocation without waiting for the store. The bot then stores several of these
   * invocations in one statement.
   */
  readonly isAcknowledged?: boolean;
  readonly mode: AckMode;
  /**
   * The data with which any process can answer. The bot erases the data when the invocation ends, because the data
   * includes a token of the platform.
   */
  readonly reply: Reply | undefined;
  /** The line for the channel if the bot can no longer send the answer to a change. */
  readonly orElse?: Line | undefined;
}

/** The end of an invocation that the bot could not store yet. The bot will try again. */
interface UnstoredEnd {
  readonly end: End;
  /** Set if the invocation's row may not exist yet. Contains the data to insert the row. */
  readonly uncertain?: InvocationRecord;
}

/** An answer for the outbox that the bot could not store yet. The bot will try again. */
interface LateAnswer {
  readonly record: InvocationRecord;
  readonly message: Message;
  readonly end: End | undefined;
  /**
   * The unique key of the delivery in the outbox. If an attempt was committed but the process did not learn this, a
   * repeated attempt with the same key writes no second row.
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
 * Reads and writes the table of invocations. With this table, every process recognises an invocation that a platform
 * repeats, even after a crash.
 */
export function createInvocations(parts: InvocationsParts) {
  const { store, membership, directory, clock, realClock, log } = parts;
  /** The ends that the bot could not store yet, by the invocation's id. */
  const unstoredEnds = new Map<string, UnstoredEnd>();
  /** The answers that the bot could not store in the outbox yet, by the invocation's id. */
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
    // The bot tells the person that nothing was done. If the row is still written later, the bot ends the invocation
    // immediately.
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
   * Called when the store has failed, possibly after writing the row. The bot tells the person that nothing was done,
   * so a row that exists must get the state `failed`.
   */
  function endIfStored(record: InvocationRecord): void {
    if (!underWay.has(record.id)) unstoredEnds.set(record.id, { end: 'failed', uncertain: record });
  }

  async function insert(record: InvocationRecord): Promise<boolean> {
    return (await insertAll([record])).has(record.id);
  }

  /** Stores the invocations. Resolves with the ids of those invocations that were not stored before. */
  async function insertAll(records: readonly InvocationRecord[]): Promise<Set<string>> {
    if (records.length === 0) return new Set();
    // The rows are sorted by id. Without this order, two processes that store the same invocations could deadlock.
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
   * Checks that this process still carries out the invocation, and locks the invocation's row until the transaction
   * `tx` ends. Throws TakenOver if another process considered this process dead and answered the person.
   */
  async function confirm(tx: Store, id: string): Promise<void> {
    const { numUpdatedRows } = await updateRunning(tx, id).set({ holder: membership.id }).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new TakenOver();
  }

  /** Stores the end of an invocation. Never rejects. If the store fails, `catchUp` stores the end later. */
  async function finish(id: string, state: End): Promise<void> {
    const { isAcknowledged } = underWay.get(id) ?? {};
    underWay.delete(id);
    const answer = unstoredAnswers.get(id);
    if (answer) {
      // The answer must be stored before the end. If the end were stored first, a crash between the two steps would
      // lose the answer.
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

  /** An UPDATE of the rows with these ids, limited to invocations that this process still carries out. */
  function updateRunning(db: Store, ...ids: readonly string[]) {
    return db
      .updateTable('invocations')
      .where('id', 'in', ids)
      .where('state', '=', 'running')
      .where('holder', '=', membership.id);
  }

  /**
   * Stores the end of an invocation while the first insert of the row may still be in progress. For example, the commit
   * of the first insert hangs while the database's standby server is unreachable. This function inserts a row
   * with the same unique id, and the database makes this insert wait for the first insert, at most until the time limit
   * of a transaction. If the first insert fails, this insert creates the row.
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
      // The outbox may post the answer much later than the command, as a separate message. Therefore a public answer
      // names the person and the command.
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
   * Ends the invocation in the transaction `tx`, which also stores the change. After a crash, no process will then say
   * that the invocation was interrupted. Throws TakenOver like `confirm`.
   */
  async function conclude(tx: Store, id: string): Promise<void> {
    const { numUpdatedRows } = await updateRunning(tx, id).set(endColumns('done')).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new TakenOver();
  }

  return {
    /**
     * Stores the invocation. Returns false if the invocation was stored before. Throws AppError if the store fails or
     * takes longer than `budgetMs` milliseconds.
     */
    async begin(record: InvocationRecord, budgetMs = BEGIN_BUDGET_MS): Promise<boolean> {
      const { id } = record;
      // If the platform sent this invocation before, the end of the earlier attempt may be waiting in `unstoredEnds`.
      // The earlier end must not end the new attempt.
      const earlier = unstoredEnds.get(id);
      if (!underWay.has(id)) unstoredEnds.delete(id);
      const taken = await insertInTime(record, budgetMs);
      log.debug({ invocation: id, taken }, 'invocation: stored');
      if (taken) underWay.set(id, record);
      else if (earlier) unstoredEnds.set(id, earlier);
      if (record.isAcknowledged) await reads.turn();
      return taken;
    },
    /** Whether this or another process has stored the invocation. */
    async isStored(id: string): Promise<boolean> {
      const row = await store.selectFrom('invocations').select('id').where('id', '=', id).executeTakeFirst();
      return row !== undefined;
    },
    confirm,
    conclude,
    /** Like `confirm`, but uses the store only if other processes may consider this process dead. */
    async confirmInDoubt(id: string): Promise<void> {
      if (!membership.isCertain()) await confirm(store, id);
    },
    finish,
    /** Tries again to store the answers and ends that the bot could not store yet. */
    async catchUp(): Promise<void> {
      for (const [id, answer] of unstoredAnswers) {
        await storeAnswer(answer);
        const { end } = unstoredAnswers.get(id) ?? {};
        unstoredAnswers.delete(id);
        // The invocation ended while `storeAnswer` was storing the answer.
        if (end && !answer.end) unstoredEnds.set(id, { end });
      }
      for (const [id, { end: state, uncertain }] of unstoredEnds) {
        await (uncertain ? endUncertain(uncertain, state) : end([id], state));
        unstoredEnds.delete(id);
      }
    },
    /**
     * Leaves an answer to the outbox, because the platform does not accept the answer now. With `end`, the invocation
     * ends with this answer. Never rejects. If the store fails, `catchUp` stores the answer later, and the invocation
     * ends only then.
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

/** Thrown if another process considered this process dead and answered the person. */
export class TakenOver extends AppError {
  constructor() {
    super('taken-over', 'I was away for too long, and another process of mine has answered.');
  }
}

/** The error if an invocation could not be stored. Nothing was done. */
export function notStored(cause?: unknown): AppError {
  return new AppError('not-stored', 'I cannot write to my database, so I did nothing.', {
    hint: 'Try again in a moment. Whoever runs me finds the reason in my log.',
    cause,
  });
}
