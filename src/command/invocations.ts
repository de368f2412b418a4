import type { Address, Person } from '../adapters/adapter.ts';
import type { Line } from '../cards/card.ts';
import type { Clock } from '../clock.ts';
import { addressColumns } from '../deployments/repository.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/store.ts';

const KEEP_MS = 7 * 24 * 60 * 60_000;
const PURGE_EVERY_MS = 60 * 60_000;

export interface InvocationRecord {
  readonly id: string;
  readonly at: Address;
  readonly person: Person;
  /** `stop`, or `stop:confirm` for a button. */
  readonly what: string;
  readonly changes: boolean;
}

/** The table of invocations: what makes a platform's retry the same invocation, also after a crash. */
export class Invocations {
  readonly #store: Store;
  readonly #clock: Clock;
  #purgedAt = 0;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Writes one down; false when it was here before. */
  async begin({ id, at, person, what, changes }: InvocationRecord): Promise<boolean> {
    await this.#purge();
    const { numInsertedOrUpdatedRows } = await this.#store
      .insertInto('invocations')
      .values({
        id,
        ...addressColumns(at),
        asker_id: person.id,
        asker_name: person.name,
        what,
        changes: changes ? 1 : 0,
        state: 'running',
        created_at: this.#clock.now(),
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    return (numInsertedOrUpdatedRows ?? 0n) > 0n;
  }

  async finish(id: string, state: 'done' | 'failed'): Promise<void> {
    await this.#store
      .updateTable('invocations')
      .set({ state, finished_at: this.#clock.now() })
      .where('id', '=', id)
      .execute();
  }

  /**
   * Answers what a process that died left unfinished. A deployment whose intent was written is settled by its own
   * card; of any other change its asker is told, in the channel, that it may or may not have been done.
   */
  async recover(): Promise<void> {
    const unfinished = await this.#store
      .selectFrom('invocations')
      .leftJoin('deployments', 'deployments.invocation_id', 'invocations.id')
      .selectAll('invocations')
      .select('deployments.id as deployment_id')
      .where('invocations.state', '=', 'running')
      .execute();
    for (const row of unfinished) {
      await this.#store.transaction().execute(async (tx) => {
        await tx
          .updateTable('invocations')
          .set({ state: 'interrupted', finished_at: this.#clock.now() })
          .where('id', '=', row.id)
          .execute();
        if (row.changes === 0 || row.deployment_id !== null) return;
        const to: Address = {
          platform: row.platform,
          workspace: row.workspace,
          channel: row.channel,
          ...(row.thread === null ? {} : { thread: row.thread }),
        };
        const message = interrupted(row.what, row.asker_id, row.asker_name);
        await enqueue(tx, this.#clock, { kind: 'post', orderKey: row.id, to, message });
      });
    }
  }

  /** Forgets the old ones, now and then. */
  async #purge(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#purgedAt < PURGE_EVERY_MS) return;
    this.#purgedAt = now;
    await this.#store
      .deleteFrom('invocations')
      .where('created_at', '<', now - KEEP_MS)
      .where('state', '!=', 'running')
      .execute();
  }
}

function interrupted(what: string, id: string, name: string): Line {
  const [command = what] = what.split(':');
  const outcome =
    command === 'deploy'
      ? 'Nothing was deployed by it; ask again.'
      : 'It may or may not have been done: look with status, and ask again if not.';
  return {
    kind: 'line',
    tone: 'warning',
    text: [
      { mention: id, name },
      ' I was restarted in the middle of your ',
      { code: command },
      `. ${outcome}`,
    ],
  };
}
