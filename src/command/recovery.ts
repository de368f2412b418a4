import { sql } from 'kysely';
import type { Address } from '../chat/port.ts';
import { StoreError } from '../errors.ts';
import { createLoop } from '../loop.ts';
import { enqueue } from '../notify/outbox.ts';
import { purge } from '../store/purge.ts';
import { passingOverLocked } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { interruptedLine } from './interrupted.ts';
import type { InvocationRecord, Invocations, InvocationsParts } from './invocations.ts';
import { ENDED } from './request-summary.ts';

/** How often what other processes left behind is looked for; they may die at any time. */
const RECOVER_MS = 5_000;
/** So that many processes do not all look at once. */
const JITTER_MS = 2_000;
const RECOVER_AT_ONCE = 100;

interface RecoveryParts extends Omit<InvocationsParts, 'realClock'> {
  readonly invocations: Invocations;
}

/** Answers the invocations whose process died before it did. */
export function createRecovery(parts: RecoveryParts) {
  const { invocations, store, membership, directory, clock, log } = parts;
  let stopped = false;
  const loop = createLoop({
    clock,
    every: RECOVER_MS,
    jitter: JITTER_MS,
    run: lookAfter,
    failed: (err) => log.error({ err }, 'invocation: what others left unfinished cannot be read'),
  });

  /** All that is done every few seconds. */
  async function lookAfter(): Promise<void> {
    await invocations.catchUp();
    await recover();
  }

  /**
   * Tells the people whose invocation was carried out by a process that is gone what has become of it. Of several
   * processes that look at the same time one tells.
   */
  async function recover(): Promise<void> {
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
      if (stopped) return;
      try {
        await answer(id);
      } catch (err) {
        if (err instanceof StoreError) throw err;
        // Something is wrong with it alone: the others need not wait for it.
        log.error({ err, invocation: id }, 'invocation: one that was left unfinished cannot be answered');
      }
    }
  }

  async function answer(id: string): Promise<void> {
    const left = await transact(store, async (tx) => {
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
      if (deployment) return row;
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
      return row;
    });
    if (!left) return;
    const { platform, workspace, channel, asker_id, asker_name, what } = left;
    const who = { platform, workspace, channel, person: asker_id, name: asker_name };
    log.warn({ invocation: id, ...who, command: what, outcome: 'interrupted' }, ENDED);
  }

  return {
    /** Now, and every few seconds from now on. */
    async start(): Promise<void> {
      await recover();
      loop.start();
    },
    /** Resolves when nothing of it is under way. */
    async stop(): Promise<void> {
      stopped = true;
      await loop.stop();
    },
    lookAfter,
    recover,
    /** Forgets some of those from before `before` (epoch ms) that are over; true while there may be more. */
    purge: (before: number) =>
      purge(store, 'invocations', sql`created_at < ${before} and state != 'running'`),
  };
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
