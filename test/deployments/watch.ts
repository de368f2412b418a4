import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { Deployments } from '../../src/deployments/deployments.ts';
import { Reconciler } from '../../src/deployments/reconciler.ts';
import { DeploymentRepository } from '../../src/deployments/repository.ts';
import type { News } from '../../src/deployments/state.ts';
import type { EdgegapApi } from '../../src/edgegap/client.ts';
import { refusalError } from '../../src/edgegap/refusals.ts';
import { DeploymentRow, DeploymentStatus } from '../../src/edgegap/schema.ts';
import type { CallOptions } from '../../src/edgegap/transport.ts';
import { createVault } from '../../src/edgegap/vault.ts';
import { createGuard, type Limits } from '../../src/guard/guard.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import type { Store } from '../../src/store/schema.ts';
import { afterWritesTo } from '../../src/store/transact.ts';
import { freshStore, suiteDatabase } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const AT = { platform: 'memory', workspace: 'w', channel: 'c' };

/** The reconciler with a clock that only the test moves, and a fake Edgegap whose answers the test sets. */
export interface Watch {
  readonly clock: TestClock;
  readonly store: Store;
  readonly repository: DeploymentRepository;
  readonly deployments: Deployments;
  readonly reconciler: Reconciler;
  readonly membership: Membership;
  readonly edgegap: EdgegapApi;
  readonly log: readonly string[];
  /** The answers of the status endpoint, by request_id. All other request_ids are unknown to the fake Edgegap. */
  readonly statuses: Map<
    string,
    string | { readonly current_status: string; readonly [field: string]: unknown }
  >;
  /** The rows that the list endpoint returns for every query. */
  readonly listed: { request_id: string; ready?: boolean; tags?: string[] }[];
  /** The calls to Edgegap so far: `status r1`, `list`, `stop r1`. */
  readonly calls: string[];
  /** Adds a deployment that is requested now, and applies this news to it. */
  add(...news: readonly News[]): Promise<string>;
  /** The text of the channel's messages so far. */
  told(): Promise<string>;
  /** The newest state of the newest card, as text. */
  card(): Promise<string>;
}

/**
 * The parts of one process. Several processes on one store have separate caches. If `edgegap` is given, they share this
 * Edgegap.
 */
export async function openWatch(
  options: {
    readonly callbacks?: boolean;
    readonly beside?: Watch;
    readonly edgegap?: EdgegapApi;
    /** The clock for the renewal of the process's row. */
    readonly heart?: Clock;
    /** The process sends its deploys only after this promise resolves. */
    readonly turn?: Promise<unknown>;
    readonly limits?: Partial<Limits>;
  } = {},
): Promise<Watch> {
  const { beside } = options;
  const clock = beside?.clock ?? new TestClock();
  const store = beside?.store ?? (await freshStore(clock));
  const membership = new Membership({
    store,
    shared: suiteDatabase === 'postgres',
    clock: options.heart ?? systemClock,
    log: pino({ level: 'silent' }),
  });
  await membership.join();
  const leases = new Leases(store, membership, clock);
  const repository = new DeploymentRepository(store, clock);
  const statuses: Watch['statuses'] = beside?.statuses ?? new Map();
  const listed: Watch['listed'] = beside?.listed ?? [];
  const calls: string[] = beside?.calls ?? [];
  const log: string[] = [];
  const logger = pino({ level: 'debug', base: null }, { write: (text: string) => void log.push(text) });
  const unknown = (method: string) => refusalError({ method, path: '/', subject: 'deployment', status: 404 });
  const scripted = {
    async deploy(_: unknown, call?: CallOptions) {
      await options.turn;
      call?.mayLeave?.();
      calls.push('deploy');
      return { request_id: `d${calls.filter((one) => one === 'deploy').length}` };
    },
    async status(request_id: string) {
      calls.push(`status ${request_id}`);
      const status = statuses.get(request_id);
      if (status === undefined) throw unknown('GET');
      return DeploymentStatus.parse({
        request_id,
        ...(typeof status === 'string' ? { current_status: status } : status),
      });
    },
    async stop(request_id: string) {
      calls.push(`stop ${request_id}`);
      if (!statuses.has(request_id)) throw unknown('DELETE');
      return 'stopping';
    },
    async deployments() {
      calls.push('list');
      const rows = listed.map((row) => DeploymentRow.parse(row));
      return { rows, total_count: rows.length, has_next: false, page: 1 };
    },
    async *allDeployments() {
      calls.push('list');
      yield* listed.map((row) => DeploymentRow.parse(row));
    },
  } as unknown as EdgegapApi;
  const edgegap = options.edgegap ?? scripted;
  const limits = { running: 0, runningPerPerson: 0, perHour: 0, confirmFrom: 0, ...options.limits };
  const guard = createGuard({ store, clock, account: 'a', allowlist: undefined, deployLimits: limits });
  const deployments = new Deployments({
    repository,
    vault: createVault('test'),
    admit: guard.admit,
    edgegap,
    membership,
    clock,
    log: logger,
    account: 'a',
    publicUrl: () => (options.callbacks ? 'http://bot.example' : undefined),
  });
  const reconciler = new Reconciler({
    repository,
    deployments,
    edgegap,
    membership,
    leases,
    account: 'a',
    clock,
    log: logger,
  });
  afterWritesTo(store, 'deployments', () => reconciler.wake());
  onTestFinished(async () => {
    deployments.close();
    await reconciler.stop();
    await membership.leave();
  });
  const written = async (kind: string) => {
    const rows = await store
      .selectFrom('outbox')
      .select('message_json')
      .where('kind', '=', kind)
      .orderBy('id')
      .execute();
    return rows.map(({ message_json }) => message_json);
  };
  let count = 0;
  return {
    clock,
    store,
    repository,
    deployments,
    reconciler,
    membership,
    edgegap,
    log,
    statuses,
    listed,
    calls,
    async add(...news) {
      const { deployment } = await repository.create({
        account: 'a',
        invocationId: `${membership.id}${++count}`,
        holder: membership.id,
        application: 'kart',
        version: 'v1',
        plan: { users: [], place: 'Montreal', tags: [] },
        asker: { id: 'ann', name: 'ann' },
        at: AT,
        card: { ...AT, message: `${count}` },
      });
      for (const one of news) await deployments.learn(deployment.id, one, 'asked');
      return deployment.id;
    },
    told: async () => (await written('post')).join('\n'),
    card: async () => (await written('edit')).at(-1) ?? '',
  };
}

export const accepted = (requestId: string): News => ({ kind: 'accepted', requestId });
export const snapshot = (request_id: string, current_status: string, fields: object = {}): News => ({
  kind: 'snapshot',
  status: DeploymentStatus.parse({ request_id, current_status, ...fields }),
});
/** A time in Edgegap's format. */
export const edgegapTime = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '000');
