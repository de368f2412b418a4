import { pino } from 'pino';
import { dialectFor, openStore } from '../../src/store/store.ts';

/** The facts in the bot's own store at the end of a run. */
export interface StoreFacts {
  /** For each intent id, the invocation and the phase of the intent. */
  readonly intents: ReadonlyMap<string, { readonly invocation: string; readonly phase: string }>;
  /** The intents that repeat a lost deploy. */
  readonly replacements: ReadonlySet<string>;
  /** Edgegap's status in the bot's store, without its prefix, by request_id. */
  readonly statuses: ReadonlyMap<string, string>;
  /** The request_ids of deployments that became ready, but whose readiness the bot will not report any more. */
  readonly untold: ReadonlySet<string>;
  /** The ids of all stored invocations. */
  readonly invocations: ReadonlySet<string>;
  /** The invocations that have no outcome yet. */
  readonly running: readonly { readonly id: string; readonly what: string }[];
  /** The number of messages that are neither sent nor given up. */
  readonly unsent: number;
  readonly dead: readonly string[];
  /** The invocations whose answer came too late for the platform. */
  readonly expired: ReadonlySet<string>;
}

const TOO_LATE: readonly (string | null)[] = ['discord-answer-expired', 'discord-too-late'];

/** Reads the facts. `database` has the form of DATABASE_URL. If it names a file, no bot may be using the file. */
export async function readStore(database: string, sentBy: number): Promise<StoreFacts> {
  const store = await openStore(dialectFor(database, pino({ level: 'silent' })));
  try {
    const deployments = await store
      .selectFrom('deployments')
      .select([
        'id',
        'invocation_id',
        'phase',
        'request_id',
        'status',
        'doubted',
        'ready_at',
        'check_at',
        'replaced_by',
      ])
      .execute();
    const invocations = await store.selectFrom('invocations').select(['id', 'what', 'state']).execute();
    const outbox = await store
      .selectFrom('outbox')
      .select(['kind', 'state', 'order_key', 'reason_code', 'created_at'])
      .where('state', '!=', 'sent')
      .execute();
    return {
      intents: new Map(
        deployments.map(({ id, invocation_id, phase }) => [id, { invocation: invocation_id, phase }]),
      ),
      replacements: new Set(deployments.flatMap(({ replaced_by }) => replaced_by ?? [])),
      statuses: new Map(
        deployments.flatMap(({ request_id, status }) =>
          request_id !== null && status !== null ? [[request_id, status] as const] : [],
        ),
      ),
      untold: new Set(
        deployments.flatMap(({ request_id, doubted, ready_at, check_at }) =>
          request_id !== null && doubted?.includes('READY') && ready_at === null && check_at === null
            ? [request_id]
            : [],
        ),
      ),
      invocations: new Set(invocations.map(({ id }) => id)),
      running: invocations.filter(({ state }) => state === 'running'),
      unsent: outbox.filter(({ state, created_at }) => state !== 'dead' && created_at < sentBy).length,
      dead: outbox
        .filter(({ state }) => state === 'dead')
        .map(({ kind, order_key, reason_code }) => `${kind} of ${order_key}: ${reason_code}`),
      expired: new Set(
        outbox
          .filter(({ kind, reason_code }) => kind === 'answer' && TOO_LATE.includes(reason_code))
          .map(({ order_key }) => order_key),
      ),
    };
  } finally {
    await store.destroy();
  }
}
