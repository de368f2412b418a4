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

/** How often the recovery looks for unfinished invocations of dead processes. */
const RECOVER_MS = 5_000;
/** A random delay of up to this long is added, so that many processes do not look at the same moment. */
const JITTER_MS = 2_000;
const RECOVER_AT_ONCE = 100;

interface RecoveryParts extends Omit<InvocationsParts, 'realClock'> {
  readonly invocations: Invocations;
}

/** Answers the invocations whose process died before answering. */
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

  /** The work that is done every few seconds. */
  async function lookAfter(): Promise<void> {
    await invocations.catchUp();
    await recover();
  }

  /**
   * Answers the people whose invocations a dead process was carrying out. If several processes look at the same time,
   * only a single process answers.
   */
  async function recover(): Promise<void> {
    // A process that other processes may take for dead must not itself judge which processes are dead.
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
        // Only this row has a fault; the other invocations need not wait.
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
      // The deployment's live card was the answer, and continues to show the deployment's state.
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
          // The channel is told only of an interrupted change. If a command that only reads can no longer be answered,
          // the platform itself has shown the failure.
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
    /** Recovers now, and every few seconds from now on. */
    async start(): Promise<void> {
      await recover();
      loop.start();
    },
    /** Resolves when no recovery is under way. */
    async stop(): Promise<void> {
      stopped = true;
      await loop.stop();
    },
    lookAfter,
    recover,
    /** Forgets some ended invocations from before `before` (epoch ms); true while there may be more. */
    purge: (before: number) =>
      purge(store, 'invocations', sql`created_at < ${before} and state != 'running'`),
  };
}

type HowToReply = Pick<InvocationRecord, 'mode' | 'reply'>;

/** The way to reply, read from its JSON. Undefined also if the JSON is damaged; the channel is told in that case. */
function readReply(json: string | null): HowToReply | undefined {
  try {
    return (JSON.parse(json ?? 'null') as HowToReply | null) ?? undefined;
  } catch {
    return undefined;
  }
}
