import { sql } from 'kysely';
import { addressOf } from '../deployments/deployment.ts';
import { StoreError } from '../errors.ts';
import { createLoop } from '../loop.ts';
import { enqueue } from '../notify/outbox.ts';
import { purge } from '../store/purge.ts';
import { passingOverLocked } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { interruptedLine } from './interrupted.ts';
import type { InvocationRecord, Invocations, InvocationsParts } from './invocations.ts';
import { ENDED } from './request-summary.ts';

/** How often the bot looks for unfinished invocations of dead processes. */
const RECOVER_MS = 5_000;
/** A random delay of at most this length is added, so that not all processes search at the same moment. */
const JITTER_MS = 2_000;
const RECOVER_AT_ONCE = 100;

interface RecoveryParts extends Omit<InvocationsParts, 'realClock'> {
  readonly invocations: Invocations;
}

/** Answers invocations whose process died before answering. */
export function createRecovery(parts: RecoveryParts) {
  const { invocations, store, membership, directory, clock, log } = parts;
  let stopped = false;
  const loop = createLoop({
    clock,
    every: RECOVER_MS,
    jitter: JITTER_MS,
    run: lookAfter,
    failed: (err) => log.error({ err }, 'invocation: unfinished invocations cannot be read'),
  });

  /** The work that the loop does every few seconds. */
  async function lookAfter(): Promise<void> {
    await invocations.catchUp();
    await recover();
  }

  /**
   * Tells people that their invocation was interrupted, if a dead process was carrying out the invocation. If several
   * processes find the same invocation, only one process answers.
   */
  async function recover(): Promise<void> {
    // If other processes may consider this process dead, this process cannot know which other processes are dead.
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
        // The fault is in this row only, so the loop continues with the next invocation.
        log.error({ err, invocation: id }, 'invocation: an unfinished invocation cannot be answered');
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
      // The answer to this invocation is the live card of the deployment, and the bot continues to update the card.
      if (deployment) return row;
      const at = addressOf(row);
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
          // The channel gets a message only if the interrupted invocation may have changed something. For other
          // invocations, the platform itself shows the person that the bot did not answer.
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
    /** Recovers unfinished invocations now, and then every few seconds. */
    async start(): Promise<void> {
      await recover();
      loop.start();
    },
    /** Stops the recovery. Resolves when a recovery in progress has ended. */
    async stop(): Promise<void> {
      stopped = true;
      await loop.stop();
    },
    lookAfter,
    recover,
    /**
     * Deletes a batch of the ended invocations that were stored before the time `before` (epoch ms). Returns true if
     * older invocations may be left.
     */
    purge: (before: number) =>
      purge(store, 'invocations', sql`created_at < ${before} and state != 'running'`),
  };
}

type HowToReply = Pick<InvocationRecord, 'mode' | 'reply'>;

/**
 * Reads the stored data with which the bot can reply to the person. Returns undefined if there is no data, or if the
 * JSON is damaged. The caller then uses the channel.
 */
function readReply(json: string | null): HowToReply | undefined {
  try {
    return (JSON.parse(json ?? 'null') as HowToReply | null) ?? undefined;
  } catch {
    return undefined;
  }
}
