import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { DeploymentStatus } from '../edgegap/schema.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import { type Deployment, endIsInferred } from './deployment.ts';
import type { Deployments } from './deployments.ts';
import type { DeploymentRepository } from './repository.ts';

export const CALLBACK_EVENTS = ['ready', 'error', 'terminated'] as const;
export type CallbackEvent = (typeof CALLBACK_EVENTS)[number];

/** Stores what Edgegap calls back with, and works it off after it has been answered. */
export class Callbacks {
  readonly #store: Store;
  readonly #repository: DeploymentRepository;
  readonly #deployments: Deployments;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #wakeReconciler: () => void;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly store: Store;
    readonly repository: DeploymentRepository;
    readonly deployments: Deployments;
    readonly clock: Clock;
    readonly log: Logger;
    readonly wakeReconciler: () => void;
  }) {
    this.#store = parts.store;
    this.#repository = parts.repository;
    this.#deployments = parts.deployments;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#wakeReconciler = parts.wakeReconciler;
  }

  /** Whether a callback with this secret is one of ours. */
  async isOurs(id: string, secret: string): Promise<boolean> {
    const expected = await this.#repository.secretOf(id);
    // Whether there is such an id may show in the time taken; it is the secret that must not.
    return sameSecret(secret, expected ?? '') && expected !== undefined;
  }

  /**
   * Whether the callback is one of ours. If so it is stored when this resolves, and a second delivery of it changes
   * nothing; everything else happens after.
   */
  async receive(event: CallbackEvent, id: string, secret: string, body: string): Promise<boolean> {
    if (!(await this.isOurs(id, secret))) return false;
    await this.#store
      .insertInto('callbacks')
      .values({ deployment_id: id, event, body, received_at: this.#clock.now(), handled_at: null })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    void this.work();
    return true;
  }

  /** Works off what is stored and not yet handled, also from before a restart. */
  work(): Promise<void> {
    this.#working = this.#working
      .then(() => this.#workOff())
      .catch((error: unknown) => this.#log.error({ err: error }, 'callbacks: cannot be worked off'));
    return this.#working;
  }

  async #workOff(): Promise<void> {
    const rows = await this.#store
      .selectFrom('callbacks')
      .selectAll()
      .where('handled_at', 'is', null)
      .orderBy('received_at')
      .execute();
    for (const { deployment_id, event, body } of rows) {
      try {
        await this.#handle(deployment_id, event, body);
      } catch (error) {
        // One that fails must not hold up the others. It is tried again with the next one and at the next start.
        this.#log.error({ err: error, deployment: deployment_id, event }, 'callbacks: one cannot be handled');
      }
    }
  }

  async #handle(id: string, event: string, body: string): Promise<void> {
    const markHandled = async (tx: Store) => {
      await tx
        .updateTable('callbacks')
        .set({ handled_at: this.#clock.now() })
        .where('deployment_id', '=', id)
        .where('event', '=', event)
        .execute();
    };
    const before = await this.#repository.byId(id);
    // What is known already is not told again; a late body may even be older than what was learned since.
    if (!before || isTold(before, event)) return markHandled(this.#store);
    const status = readBody(body);
    const ours = status !== undefined && (await this.#isOf(before, status));
    if (!ours) {
      this.#log.warn({ deployment: id, event }, 'callbacks: unreadable body, asking for the status');
      await markHandled(this.#store);
    }
    const after = ours
      ? await this.#deployments.learn(id, { kind: 'called-back', status }, 'told', markHandled)
      : before;
    // What the event's name says and its body does not, only the status can settle.
    if (after && after.phase !== 'ended' && !isTold(after, event)) {
      // Without a request_id it is looked for by its tag, anew: that something called back proves that it exists.
      await this.#repository.agenda.schedule(
        id,
        this.#clock.now(),
        after.requestId === undefined ? 0 : undefined,
      );
      this.#wakeReconciler();
    }
  }

  /** Whether this is the status of this deployment: its own request_id, or while that is unknown nobody else's. */
  async #isOf({ id, requestId }: Deployment, { request_id }: DeploymentStatus): Promise<boolean> {
    if (requestId !== undefined) return requestId === request_id;
    const other = await this.#repository.byRequestId(request_id);
    return other === undefined || other.id === id;
  }
}

function isTold(deployment: Deployment, event: string): boolean {
  const { readyAt, errorAt, endedAt } = deployment;
  return (
    (event === 'ready' && readyAt !== undefined) ||
    (event === 'error' && errorAt !== undefined) ||
    (event === 'terminated' && endedAt !== undefined && !endIsInferred(deployment))
  );
}

function readBody(body: string): DeploymentStatus | undefined {
  try {
    return DeploymentStatus.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** Compares digests, so that neither the content nor the length of the secret shows in the time taken. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
