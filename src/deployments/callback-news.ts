import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { DeploymentStatus } from '../edgegap/schema.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/schema.ts';
import { CALLBACK_EVENTS, type CallbackEvent, type Deployment, hasSurelyEnded } from './deployment.ts';
import type { Deployments } from './deployments.ts';
import type { DeploymentRepository } from './repository.ts';

export interface NewsParts {
  readonly repository: DeploymentRepository;
  /** Returns the deployments of the account with this id. Throws if the account is not set up. */
  readonly deployments: (account: string) => Pick<Deployments, 'learnIn'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Applies stored callbacks to their deployments. Each callback is applied only once, even if several processes try. */
export class CallbackNews {
  readonly #parts: NewsParts;

  constructor(parts: NewsParts) {
    this.#parts = parts;
  }

  /**
   * Applies all stored callbacks of these deployments in a single transaction. Rejects if a callback cannot be applied.
   */
  async apply(ids: readonly string[]): Promise<void> {
    const unknown = await this.#parts.repository.change(ids, async (tx, locked) => {
      const deployments = new Map(locked.map((one) => [one.id, one]));
      // The callbacks are read after the deployments are locked. Callbacks that another process handled before the lock
      // are therefore not read.
      const rows = await unhandled(tx, ids);
      const unreadable: object[] = [];
      const named = new Map<string, readonly CallbackEvent[]>();
      for (const { deployment_id, event, body } of rows) {
        const before = deployments.get(deployment_id);
        if (!before) continue;
        // SQLite runs inside this process. Without this pause, all other work would wait until the last callback is
        // applied.
        await nextTurn();
        const events = [
          ...(named.get(deployment_id) ?? []),
          ...CALLBACK_EVENTS.filter((one) => one === event),
        ];
        const { after, read, isForeign } = await this.#handleIn(tx, before, { event, events, body });
        // A callback whose body is about a different deployment is deleted, because other code takes a stored callback
        // as evidence of the event.
        if (isForeign)
          await tx
            .deleteFrom('callbacks')
            .where('deployment_id', '=', deployment_id)
            .where('event', '=', event)
            .execute();
        else named.set(deployment_id, events);
        deployments.set(deployment_id, after);
        if (!read) unreadable.push({ deployment: deployment_id, event });
      }
      for (const event of CALLBACK_EVENTS) {
        const handled = rows.filter((row) => row.event === event).map((row) => row.deployment_id);
        if (handled.length === 0) continue;
        await tx
          .updateTable('callbacks')
          .set({ handled_at: this.#parts.clock.now() })
          .where('event', '=', event)
          .where('deployment_id', 'in', handled)
          .execute();
      }
      // A deployment may be purged when its callback arrives. The callback is deleted here, because no later purge
      // would find the callback.
      const orphans = ids.filter((id) => !deployments.has(id));
      if (orphans.length > 0)
        await tx.deleteFrom('callbacks').where('deployment_id', 'in', orphans).execute();
      return unreadable;
    });
    for (const one of unknown) this.#parts.log.warn(one, 'callbacks: unreadable body, asking for the status');
  }

  /**
   * Applies a callback. In the result, `after` is the deployment after the callback. `isForeign` says whether the body
   * is about a different deployment. `read` is false if the body could not be read.
   */
  async #handleIn(
    tx: Store,
    before: Deployment,
    { event, events, body }: { event: string; events: readonly CallbackEvent[]; body: string },
  ): Promise<{ after: Deployment; read: boolean; isForeign: boolean }> {
    // An event is reported only once. The body of a late callback may also be older than the stored status.
    if (isReported(before, event)) return { after: before, read: true, isForeign: false };
    const status = readBody(body);
    const ours = status !== undefined && (await this.#isOf(tx, before, status));
    const after = ours
      ? await this.#parts
          .deployments(before.account)
          .learnIn(tx, before, { kind: 'called-back', status, events }, 'told')
      : before;
    // The callback named an event, but its body did not confirm the event. Only a new status from Edgegap can decide,
    // so the bot asks for the status now.
    if (after.phase !== 'ended' && !isReported(after, event)) {
      // If the deployment has no request_id, the bot is still searching for the deployment by its tag. The callback
      // proves that the deployment exists, so the search starts again from the beginning.
      const remember = after.requestId === undefined ? { checks: 0 } : {};
      await this.#parts.repository.schedule.set(after.id, this.#parts.clock.now(), remember, tx);
    }
    return { after, read: ours, isForeign: status !== undefined && !ours };
  }

  /**
   * Whether this status belongs to this deployment. If the deployment has a request_id, the status must have the same
   * request_id. If the deployment has no request_id yet, the status must have a request_id that belongs to no other
   * deployment.
   */
  async #isOf(tx: Store, deployment: Deployment, { request_id }: DeploymentStatus): Promise<boolean> {
    if (deployment.requestId !== undefined) return deployment.requestId === request_id;
    return !(await this.#parts.repository.isAnothers(tx, deployment, request_id));
  }
}

/**
 * Returns the callbacks of these deployments that are not handled yet, in the order of their arrival. Callbacks that
 * were committed together have the same time of arrival. The order of these callbacks is the usual order of a
 * deployment's events.
 */
export async function unhandled(db: Store, ids: readonly string[]) {
  const rows = await db
    .selectFrom('callbacks')
    .selectAll()
    .where('deployment_id', 'in', ids)
    .where('handled_at', 'is', null)
    .execute();
  const events: readonly string[] = CALLBACK_EVENTS;
  const rank = ({ event }: { readonly event: string }) => events.indexOf(event);
  return rows.toSorted((a, b) => a.received_at - b.received_at || rank(a) - rank(b));
}

function isReported(deployment: Deployment, event: string): boolean {
  const { readyAt, errorAt } = deployment;
  return (
    (event === 'ready' && readyAt !== undefined) ||
    (event === 'error' && errorAt !== undefined) ||
    (event === 'terminated' && hasSurelyEnded(deployment))
  );
}

function readBody(body: string): DeploymentStatus | undefined {
  try {
    return DeploymentStatus.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
