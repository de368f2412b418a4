import { randomBytes, randomInt } from 'node:crypto';
import type { Address } from '../adapters/adapter.ts';
import type { Clock } from '../clock.ts';
import { InputError } from '../errors.ts';
import type { DeploymentsTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { OvertakenError, transact } from '../store/transact.ts';
import { Agenda } from './agenda.ts';
import { announce, drawCard, type Source } from './announce.ts';
import { type Deployment, type DeployOrder, fromRow, toColumns } from './deployment.ts';
import { advance, type News } from './state.ts';

export interface Intent extends DeployOrder {
  readonly account: string;
}

/** The table of deployments: with its agenda, the only place that reads and writes it. */
export class DeploymentRepository {
  readonly agenda: Agenda;
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.agenda = new Agenda(store, clock);
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Writes down that a deployment is about to be requested. For an invocation that already has one, returns that and
   * `created: false`: it is the same request, made again. One that replaces another claims it in the same transaction,
   * so that of two persons who press at once only one deploys; the other gets an InputError.
   */
  async create(intent: Intent, replaces?: string): Promise<{ deployment: Deployment; created: boolean }> {
    const now = this.#clock.now();
    return await transact(this.#store, async (tx) => {
      const id = randomId();
      const inserted = await tx
        .insertInto('deployments')
        .values({
          id,
          account: intent.account,
          secret: randomBytes(24).toString('base64url'),
          invocation_id: intent.invocationId,
          application: intent.application,
          version: intent.version,
          plan_json: JSON.stringify(intent.plan),
          asker_id: intent.asker.id,
          asker_name: intent.asker.name,
          ...addressColumns(intent.at),
          card_json: JSON.stringify(intent.card),
          phase: 'requesting',
          revision: 0,
          created_at: now,
          heard_at: now,
          checks: 0,
        })
        .onConflict((conflict) => conflict.column('invocation_id').doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows && replaces) await this.#replace(tx, replaces, id);
      const row = await tx
        .selectFrom('deployments')
        .selectAll()
        .where('invocation_id', '=', intent.invocationId)
        .executeTakeFirstOrThrow();
      return { deployment: fromRow(row), created: row.id === id };
    });
  }

  /** Marks a lost deployment as replaced and takes the button off its card. */
  async #replace(tx: Store, id: string, by: string): Promise<void> {
    // Of two that claim it at once, the other waits here for the end of this transaction, and finds it claimed.
    const row = await tx
      .updateTable('deployments')
      .set((eb) => ({ replaced_by: by, revision: eb('revision', '+', 1) }))
      .where('id', '=', id)
      .where('phase', '=', 'lost')
      .where('replaced_by', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (!row) {
      const other = await tx
        .selectFrom('deployments')
        .select('replaced_by')
        .where('id', '=', id)
        .executeTakeFirst();
      throw new InputError('again-done', 'There is nothing to deploy again.', {
        hint: other?.replaced_by ? 'Someone did it already.' : 'It did start after all: see its card.',
      });
    }
    const after = fromRow(row);
    await announce(tx, this.#clock, {
      before: { ...after, replacedBy: undefined },
      after,
      happened: [],
      source: 'asked',
    });
  }

  /**
   * Applies news to a deployment and writes what the channel is to see, in one transaction. `also` may add to it.
   * Returns the deployment as it then is; undefined where there is none of that id.
   */
  async apply(
    id: string,
    news: News,
    options: {
      readonly source: Source;
      readonly checkAt?: (deployment: Deployment) => number | undefined;
      readonly also?: (tx: Store, deployment: Deployment) => Promise<void>;
    },
  ): Promise<Deployment | undefined> {
    return await transact(this.#store, async (tx) => {
      const row = await tx.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return undefined;
      const before = fromRow(row);
      const now = this.#clock.now();
      const { changes, happened } = advance(before, news, now);
      const heard = news.kind === 'unknown-outcome' || news.kind === 'not-found' ? before.heardAt : now;
      const learned: Deployment = { ...before, ...changes, heardAt: heard };
      const checkAt = options.checkAt ? options.checkAt(learned) : before.checkAt;
      const after: Deployment = { ...learned, checkAt };
      const { numUpdatedRows } = await tx
        .updateTable('deployments')
        .set({ ...toColumns(after), revision: row.revision + 1 })
        .where('id', '=', id)
        .where('revision', '=', row.revision)
        .executeTakeFirst();
      // Rolls back, so that nothing is announced that was not written.
      if (numUpdatedRows === 0n)
        throw new OvertakenError(`Deployment ${id} was changed by another writer meanwhile`);
      await announce(tx, this.#clock, { before, after, happened, source: options.source });
      await options.also?.(tx, after);
      return after;
    });
  }

  /** Whether Edgegap has called back with this event, whatever became of it. */
  async wasCalledBack(id: string, event: string): Promise<boolean> {
    const row = await this.#store
      .selectFrom('callbacks')
      .select('event')
      .where('deployment_id', '=', id)
      .where('event', '=', event)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Has the live card drawn anew, in its place in the order, also where nothing has changed. */
  async redraw(id: string): Promise<void> {
    await transact(this.#store, async (tx) => {
      const row = await tx.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirst();
      if (row) await drawCard(tx, this.#clock, fromRow(row));
    });
  }

  /** For callbacks: nothing else of it is read before the secret was found right. */
  async secretOf(id: string): Promise<string | undefined> {
    const row = await this.#store
      .selectFrom('deployments')
      .select('secret')
      .where('id', '=', id)
      .executeTakeFirst();
    return row?.secret;
  }

  async byId(id: string): Promise<Deployment | undefined> {
    return this.#one(this.#select().where('id', '=', id).executeTakeFirst());
  }

  async byRequestId(requestId: string): Promise<Deployment | undefined> {
    return this.#one(this.#select().where('request_id', '=', requestId).executeTakeFirst());
  }

  /** Deployments that came from this channel and whose request_id begins with `prefix`, newest first. */
  async byPrefix(at: Address, prefix: string, limit: number): Promise<Deployment[]> {
    const rows = await this.#inChannel(at)
      .where('request_id', '>=', prefix)
      .where('request_id', '<', `${prefix}\uffff`)
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }

  /** The newest deployment from this channel that has a request_id. */
  async latest(at: Address): Promise<Deployment | undefined> {
    return this.#one(this.#inChannel(at).where('request_id', 'is not', null).limit(1).executeTakeFirst());
  }

  #select() {
    return this.#store.selectFrom('deployments').selectAll();
  }

  #inChannel(at: Address) {
    return this.#select()
      .where('platform', '=', at.platform)
      .where('workspace', '=', at.workspace)
      .where('channel', '=', at.channel)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc');
  }

  async #one(row: Promise<Parameters<typeof fromRow>[0] | undefined>): Promise<Deployment | undefined> {
    const found = await row;
    return found && fromRow(found);
  }
}

export function addressColumns(
  at: Address,
): Pick<DeploymentsTable, 'platform' | 'workspace' | 'channel' | 'thread'> {
  return { platform: at.platform, workspace: at.workspace, channel: at.channel, thread: at.thread ?? null };
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** 12 characters: 62 bits, and short enough for a tag. */
function randomId(): string {
  return Array.from({ length: 12 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
