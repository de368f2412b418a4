import type { Address } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import { StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Membership } from '../replicas/membership.ts';
import { passingOverLocked, type Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import type { Directory } from './define.ts';
import { interruptedLine } from './interrupted.ts';
import type { InvocationRecord, Invocations } from './invocations.ts';

/** How often what other processes left behind is looked for; they may die at any time. */
const RECOVER_MS = 5_000;
/** So that many processes do not all look at once. */
const JITTER_MS = 2_000;
const RECOVER_AT_ONCE = 100;
/** Few enough that nobody waits for them to go. */
const PURGE_AT_ONCE = 500;

export interface RecoveryParts {
  readonly invocations: Invocations;
  readonly store: Store;
  readonly membership: Membership;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly wakeOutbox: () => void;
}

/** Answers the invocations whose process died before it did. */
export class Recovery {
  readonly #parts: RecoveryParts;
  #cancel: (() => void) | undefined;
  #working: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** Now, and every few seconds from now on. */
  async start(): Promise<void> {
    await this.recover();
    this.#schedule();
  }

  /** Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#working;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, log } = this.#parts;
    this.#cancel = clock.after(RECOVER_MS + Math.random() * JITTER_MS, () => {
      this.#working = this.lookAfter()
        .catch((err: unknown) => {
          if (!this.#stopped) log.error({ err }, 'invocation: what others left unfinished cannot be read');
        })
        .finally(() => this.#schedule());
    });
  }

  /** All that is done every few seconds. */
  async lookAfter(): Promise<void> {
    await this.#parts.invocations.catchUp();
    await this.recover();
  }

  /**
   * Tells the people whose invocation was carried out by a process that is gone what has become of it. Of several
   * processes that look at the same time one tells.
   */
  async recover(): Promise<void> {
    const { store, membership, log, wakeOutbox } = this.#parts;
    // Whoever may be dead itself is no judge of who else is.
    if (!membership.isCertain()) return;
    const unfinished = store
      .selectFrom('invocations')
      .select('id')
      .where('state', '=', 'running')
      .where((eb) => membership.gone(eb.ref('invocations.holder')))
      .orderBy('created_at')
      .limit(RECOVER_AT_ONCE);
    const left = await passingOverLocked(unfinished, store).execute();
    for (const { id } of left) {
      if (this.#stopped) return;
      try {
        await this.#answer(id);
      } catch (err) {
        if (err instanceof StoreError) throw err;
        // Something is wrong with it alone: the others need not wait for it.
        log.error({ err, invocation: id }, 'invocation: one that was left unfinished cannot be answered');
      }
    }
    if (left.length > 0) wakeOutbox();
  }

  async #answer(id: string): Promise<void> {
    const { store, membership, directory, clock, log } = this.#parts;
    const what = await transact(store, async (tx) => {
      const row = await tx
        .updateTable('invocations')
        .set({ state: 'interrupted', finished_at: clock.now() })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .where((eb) => membership.gone(eb.ref('invocations.holder')))
        .returningAll()
        .executeTakeFirst();
      if (!row) return undefined;
      await tx.updateTable('invocations').set({ reply_json: null }).where('id', '=', id).execute();
      const deployment = await tx
        .selectFrom('deployments')
        .select('id')
        .where('invocation_id', '=', id)
        .executeTakeFirst();
      // Its card was the answer, and goes on to tell how things are.
      if (deployment) return row.what;
      const { platform, workspace, channel, thread } = row;
      const at: Address = { platform, workspace, channel, ...(thread === null ? {} : { thread }) };
      const changes = row.changes === 1;
      const about = { what: row.what, changes, how: 'interrupted' } as const;
      const asker = { id: row.asker_id, name: row.asker_name };
      const inChannel = interruptedLine(directory, { ...about, mention: asker });
      const how = readReply(row.reply_json);
      if (how?.reply) {
        const { mode, reply } = how;
        await enqueue(tx, clock, {
          kind: 'answer',
          orderKey: id,
          at,
          reply,
          message: mode === 'public' ? inChannel : interruptedLine(directory, about),
          // What only looked is nothing to trouble the channel with; where it can no longer be answered, the platform
          // itself has said that it failed.
          ...(changes ? { orElse: inChannel } : {}),
        });
      } else if (changes) {
        await enqueue(tx, clock, { kind: 'post', orderKey: id, to: at, message: inChannel });
      }
      return row.what;
    });
    if (what !== undefined) log.warn({ invocation: id, what }, 'invocation: its process is gone');
  }

  /** Forgets some of those from before `before` (epoch ms) that are over; true while there may be more. */
  async purge(before: number): Promise<boolean> {
    const { store } = this.#parts;
    const { numDeletedRows } = await store
      .deleteFrom('invocations')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('invocations')
          .select('id')
          .where('created_at', '<', before)
          .where('state', '!=', 'running')
          .limit(PURGE_AT_ONCE),
      )
      .executeTakeFirst();
    return numDeletedRows === BigInt(PURGE_AT_ONCE);
  }
}

type HowToReply = Pick<InvocationRecord, 'mode' | 'reply'>;

/** Undefined also where it is damaged: the channel is told then. */
function readReply(json: string | null): HowToReply | undefined {
  try {
    return (JSON.parse(json ?? 'null') as HowToReply | null) ?? undefined;
  } catch {
    return undefined;
  }
}
