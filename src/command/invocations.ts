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

export type Invocations = ReturnType<typeof createInvocations>;

/**
 * The table of invocations: what makes a platform's retry the same invocation, on whichever process and also after a
 * crash.
 */
export function createInvocations(parts: InvocationsParts) {
  const { store, membership, directory, clock, realClock, log } = parts;
  /** Ends that could not be written down. */
  const unrecorded = new Map<string, Unrecorded>();
  /** Answers that could neither be given nor left to the outbox. */
  const unowed = new Map<string, Owed>();
  /** What this process carries out. */
  const underWay = new Set<string>();

  async function insertInTime(record: InvocationRecord, budgetMs: number): Promise<boolean> {
    const begun = insert(record);
    try {
      const taken = await within(realClock, budgetMs, begun);
      if (taken !== undefined) return taken;
    } catch (cause) {
      log.error({ err: cause, invocation: record.id }, 'invocation: cannot be stored');
      mayBeStored(record);
      throw cause instanceof StoreError ? cause : notStored(cause);
    }
    // Should it be written after all, it is over: its person was told that nothing was done.
    begun.then(
      async (taken) => {
        if (taken) await finish(record.id, 'failed');
      },
      () => mayBeStored(record),
    );
    log.error({ invocation: record.id }, 'invocation: the store does not answer in time');
    throw notStored();
  }

  /** The store failed, perhaps after it had written: then it is over, as its person was told that nothing was done. */
  function mayBeStored(record: InvocationRecord): void {
    if (!underWay.has(record.id)) unrecorded.set(record.id, { end: 'failed', unsure: record });
  }

  async function insert(record: InvocationRecord): Promise<boolean> {
    const { mode, reply } = record;
    const { numInsertedOrUpdatedRows } = await store
      .insertInto('invocations')
      .values({ ...rowOf(record), state: 'running', reply_json: JSON.stringify({ mode, reply }) })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    return (numInsertedOrUpdatedRows ?? 0n) > 0n;
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
   * Makes sure, until the transaction `tx` ends, that this process still carries the invocation out. Throws TakenOver
   * once it was taken for dead: then another one has told the person what has become of it.
   */
  async function confirm(tx: Store, id: string): Promise<void> {
    const { numUpdatedRows } = await running(tx, id).set({ holder: membership.id }).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new TakenOver();
  }

  /** Never rejects: an end that the store does not take now is written down later. */
  async function finish(id: string, state: End): Promise<void> {
    underWay.delete(id);
    const owed = unowed.get(id);
    if (owed) {
      // Were it over before its answer is stored, a crash would take the answer along.
      unowed.set(id, { ...owed, end: state });
      return;
    }
    try {
      await end(id, state);
    } catch (err) {
      log.error({ err, invocation: id }, 'invocation: its end could not be stored');
      unrecorded.set(id, { end: state });
    }
  }

  async function end(id: string, state: End, db = store): Promise<void> {
    await running(db, id).set(over(state)).execute();
  }

  /** For a change to one that this process still carries out. */
  function running(db: Store, id: string) {
    return db
      .updateTable('invocations')
      .where('id', '=', id)
      .where('state', '=', 'running')
      .where('holder', '=', membership.id);
  }

  /**
   * The same for one that may be stored only in a while: its commit may hang, at a database whose standby is away for
   * example. The insert waits for it by its unique id, for as long as a transaction may, and else takes its place.
   */
  async function endUnsure(record: InvocationRecord, state: End): Promise<void> {
    await transact(store, (tx) =>
      tx
        .insertInto('invocations')
        .values({ ...rowOf(record), ...over(state) })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet(over(state))
            .where('invocations.state', '=', 'running')
            .where('invocations.holder', '=', membership.id),
        )
        .execute(),
    );
  }

  function over(state: End) {
    return { state, finished_at: clock.now(), reply_json: null };
  }

  async function storeOwed({ record, message, end: state, key }: Owed): Promise<void> {
    const { id, at, person, what, changes, mode, reply } = record;
    const about = { what, changes, how: 'unanswered', mention: person } as const;
    const { orElse = interruptedLine(directory, about) } = record;
    const [command = what] = what.split(':');
    await transact(store, async (tx) => {
      if (state) await end(id, state, tx);
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

  return {
    /**
     * Writes one down; false when it was here before. Throws AppError where the store does not take it within `budgetMs`
     * milliseconds.
     */
    async begin(record: InvocationRecord, budgetMs = BEGIN_BUDGET_MS): Promise<boolean> {
      const { id } = record;
      // The end of an earlier delivery is not to become this one's.
      const earlier = unrecorded.get(id);
      if (!underWay.has(id)) unrecorded.delete(id);
      const taken = await insertInTime(record, budgetMs);
      if (taken) underWay.add(id);
      else if (earlier) unrecorded.set(id, earlier);
      return taken;
    },
    confirm,
    /** Before all see something of it: the same, asked where this process has reason to doubt it. */
    async confirmInDoubt(id: string): Promise<void> {
      if (!membership.isCertain()) await confirm(store, id);
    },
    finish,
    /** Writes down what the store did not take. */
    async catchUp(): Promise<void> {
      for (const [id, owed] of unowed) {
        await storeOwed(owed);
        const { end } = unowed.get(id) ?? {};
        unowed.delete(id);
        // It came to its end in this moment.
        if (end && !owed.end) unrecorded.set(id, { end });
      }
      for (const [id, { end: state, unsure }] of unrecorded) {
        await (unsure ? endUnsure(unsure, state) : end(id, state));
        unrecorded.delete(id);
      }
    },
    /**
     * Leaves an answer that cannot be given right now to the outbox; with `end` it was the last of it. Never rejects: what
     * the store does not take now is written down later, and until then the invocation is not over.
     */
    async owe(record: InvocationRecord, message: Message, end?: End): Promise<void> {
      const owed = { record, message, end, key: randomBytes(12).toString('hex') };
      try {
        await storeOwed(owed);
      } catch (err) {
        log.error({ err, invocation: record.id }, 'invocation: its answer could not be stored');
        unowed.set(record.id, owed);
      }
    },
  };
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
