import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { DeploymentStatus } from '../edgegap/schema.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import { type Deployment, endIsInferred, isId } from './deployment.ts';
import type { Deployments } from './deployments.ts';
import type { DeploymentRepository } from './repository.ts';
import { nextTurn, pause, together } from './together.ts';

export const CALLBACK_EVENTS = ['ready', 'error', 'terminated'] as const;
export type CallbackEvent = (typeof CALLBACK_EVENTS)[number];

/** One callback, of a deployment whose secret it knew. */
interface Received {
  readonly event: CallbackEvent;
  readonly id: string;
  readonly body: string;
}

/** How many are looked up, or stored, by one statement. */
const AT_ONCE = 250;
/** How many deployments' callbacks are worked off in one transaction: nobody else has the store so long. */
const WORK_AT_ONCE = 10;
/** A burst is over when none has come for so long: shorter than anybody notices, longer than a caller's next one takes. */
const LULL_MS = 50;
/** What has come is worked off at least so often, however long a burst lasts. */
const GIVE_WAY_MS = 500;
const POLL_MS = 2_000;
/** What another process stored is its own to work off for this long. */
const OTHERS_AFTER_MS = 5_000;
/** One that cannot be handled is tried again after this long, doubled each time. */
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 60 * 60_000;

/** Stores what Edgegap calls back with, and works it off after it has been answered. */
export class Callbacks {
  readonly #store: Store;
  readonly #repository: DeploymentRepository;
  readonly #deployments: Deployments;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Deployments of which this process has stored a callback that is not worked off yet. */
  readonly #fresh = new Set<string>();
  #working: Promise<void> | undefined;
  /** When the last one came, by the machine's own time. */
  #cameAt = 0;
  #polling: Promise<void> | undefined;
  #cancelPoll: (() => void) | undefined;
  #stopped = false;

  constructor(parts: {
    readonly store: Store;
    readonly repository: DeploymentRepository;
    readonly deployments: Deployments;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#store = parts.store;
    this.#repository = parts.repository;
    this.#deployments = parts.deployments;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Works off what was left, also by processes that are no more, and keeps looking for more of it. */
  async start(): Promise<void> {
    await this.#poll(0);
    this.#schedulePoll();
  }

  /** Finishes what is being worked off and begins nothing more: the rest is in the store, for whoever comes next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelPoll?.();
    await this.#polling;
    await this.idle();
  }

  /** Whether a callback with this secret is one of ours. */
  async isOurs(id: string, secret: string): Promise<boolean> {
    this.#cameAt = performance.now();
    // A stranger's may be anything, even what no database takes for a text.
    const expected = isId(id) ? await this.#secretOf(id) : undefined;
    // Whether there is such an id may show in the time taken; it is the secret that must not.
    return sameSecret(secret, expected ?? '') && expected !== undefined;
  }

  readonly #secretOf = together<string, string | undefined>(async (ids) => {
    const secrets = await this.#repository.secretsOf([...new Set(ids)]);
    return ids.map((id) => secrets.get(id));
  }, AT_ONCE);

  /**
   * Stores a callback that is ours: it is committed when this resolves, and a second delivery of it changes nothing;
   * everything else happens after. Those that arrive while a commit is under way share the next one.
   */
  receive(event: CallbackEvent, id: string, body: string): Promise<void> {
    return this.#keep({ event, id, body });
  }

  readonly #keep = together<Received, void>(async (received) => {
    const received_at = this.#clock.now();
    // In one order, so that two processes that store the same never wait for each other.
    const values = received
      .map(({ event, id, body }) => ({
        deployment_id: id,
        event,
        // What PostgreSQL takes in no text.
        body: body.replaceAll('\0', ''),
        received_at,
      }))
      .toSorted((a, b) => (a.deployment_id + a.event < b.deployment_id + b.event ? -1 : 1));
    await this.#store
      .insertInto('callbacks')
      .values(values)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    for (const { id } of received) this.#fresh.add(id);
    this.#work();
    return received.map(() => undefined);
  }, AT_ONCE);

  /** Resolves when everything that was received here has been worked off, or tried. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  #work(): void {
    this.#working ??= this.#workOff().finally(() => {
      this.#working = undefined;
      // Added after the last look, it would wait for the next poll.
      if (this.#fresh.size > 0 && !this.#stopped) this.#work();
    });
  }

  async #workOff(): Promise<void> {
    while (this.#fresh.size > 0 && !this.#stopped) {
      // Who calls back right now is answered first: Edgegap waits for ten seconds, and never calls again.
      await nextTurn();
      if (this.#fresh.size > WORK_AT_ONCE) await this.#lull();
      if (this.#stopped) return;
      const ids = [...this.#fresh].slice(0, WORK_AT_ONCE);
      for (const id of ids) this.#fresh.delete(id);
      await this.#handle(ids);
    }
  }

  async #lull(): Promise<void> {
    const from = performance.now();
    for (let now = from; now - this.#cameAt < LULL_MS && now - from < GIVE_WAY_MS; now = performance.now())
      await pause(LULL_MS);
  }

  #schedulePoll(): void {
    if (this.#stopped) return;
    this.#cancelPoll = this.#clock.after(POLL_MS, () => {
      this.#polling = this.#poll(OTHERS_AFTER_MS).finally(() => this.#schedulePoll());
    });
  }

  /** Takes what nobody has worked off in `afterMs` since it was stored, and what is to be tried again. */
  async #poll(afterMs: number): Promise<void> {
    const now = this.#clock.now();
    try {
      const left = await this.#store
        .selectFrom('callbacks')
        .select('deployment_id')
        .where('handled_at', 'is', null)
        .where('received_at', '<=', now - afterMs)
        .where((eb) => eb.or([eb('next_at', 'is', null), eb('next_at', '<=', now)]))
        .orderBy('received_at')
        .limit(AT_ONCE)
        .execute();
      for (const { deployment_id } of left) this.#fresh.add(deployment_id);
    } catch (error) {
      if (this.#stopped) return;
      this.#log.error({ err: error }, 'callbacks: cannot be worked off');
    }
    this.#work();
    await this.idle();
  }

  /** One that fails must not hold up the others: together at first, and each alone where that does not work. */
  async #handle(ids: readonly string[]): Promise<void> {
    try {
      await this.#settle(ids);
    } catch (error) {
      if (this.#stopped) return;
      if (ids.length > 1) {
        for (const id of ids) if (!this.#stopped) await this.#handle([id]);
        return;
      }
      this.#log.error({ err: error, deployment: ids[0] }, 'callbacks: one cannot be handled');
      await this.#putOff(ids).catch((failure: unknown) =>
        this.#log.error({ err: failure }, 'callbacks: cannot be worked off'),
      );
    }
  }

  async #putOff(ids: readonly string[]): Promise<void> {
    const rows = await this.#unhandled(this.#store, ids);
    for (const { deployment_id, event, failures } of rows) {
      const tried = (failures ?? 0) + 1;
      const pause = Math.min(AGAIN_MS * 2 ** (tried - 1), AGAIN_MAX_MS);
      await this.#store
        .updateTable('callbacks')
        .set({ failures: tried, next_at: this.#clock.now() + pause })
        .where('deployment_id', '=', deployment_id)
        .where('event', '=', event)
        .execute();
    }
  }

  /** Makes news of all that is stored of these deployments, in one transaction. */
  async #settle(ids: readonly string[]): Promise<void> {
    const unknown = await this.#repository.change(ids, async (tx, locked) => {
      const deployments = new Map(locked.map((one) => [one.id, one]));
      // Read after the rows were locked: what another process has worked off meanwhile is not among them.
      const rows = await this.#unhandled(tx, ids);
      const unreadable: object[] = [];
      for (const { deployment_id, event, body } of rows) {
        const before = deployments.get(deployment_id);
        if (!before) continue;
        // A store in this process would hold it up until the last one is done.
        await nextTurn();
        const { after, read } = await this.#handleIn(tx, before, event, body);
        deployments.set(deployment_id, after);
        if (!read) unreadable.push({ deployment: deployment_id, event });
      }
      for (const event of CALLBACK_EVENTS) {
        const handled = rows.filter((row) => row.event === event).map((row) => row.deployment_id);
        if (handled.length === 0) continue;
        await tx
          .updateTable('callbacks')
          .set({ handled_at: this.#clock.now() })
          .where('event', '=', event)
          .where('deployment_id', 'in', handled)
          .execute();
      }
      return unreadable;
    });
    for (const one of unknown) this.#log.warn(one, 'callbacks: unreadable body, asking for the status');
    this.#deployments.wake();
  }

  #unhandled(db: Store, ids: readonly string[]) {
    return db
      .selectFrom('callbacks')
      .selectAll()
      .where('deployment_id', 'in', ids)
      .where('handled_at', 'is', null)
      .orderBy('received_at')
      .execute();
  }

  /** What the deployment is after it, and whether the body could be made sense of. */
  async #handleIn(
    tx: Store,
    before: Deployment,
    event: string,
    body: string,
  ): Promise<{ after: Deployment; read: boolean }> {
    // What is known already is not told again; a late body may even be older than what was learned since.
    if (isTold(before, event)) return { after: before, read: true };
    const status = readBody(body);
    const ours = status !== undefined && (await this.#isOf(tx, before, status));
    const after = ours
      ? await this.#deployments.learnIn(tx, before, { kind: 'called-back', status }, 'told')
      : before;
    // What the event's name says and its body does not, only the status can settle.
    if (after.phase !== 'ended' && !isTold(after, event)) {
      // Without a request_id it is looked for by its tag, anew: that something called back proves that it exists.
      const remember = after.requestId === undefined ? { checks: 0 } : {};
      await this.#repository.agenda.schedule(after.id, this.#clock.now(), remember, tx);
    }
    return { after, read: ours };
  }

  /** Whether this is the status of this deployment: its own request_id, or while that is unknown nobody else's. */
  async #isOf(tx: Store, deployment: Deployment, { request_id }: DeploymentStatus): Promise<boolean> {
    if (deployment.requestId !== undefined) return deployment.requestId === request_id;
    return !(await this.#repository.isAnothers(tx, deployment, request_id));
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
