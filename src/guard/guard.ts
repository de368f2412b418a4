import { type Clock, farthest } from '../clock.ts';
import type { Deployment } from '../deployments/deployment.ts';
import { type Deployer, deploysOf, running } from '../deployments/running.ts';
import type { Store } from '../store/schema.ts';
import { limitReached, theyRun } from './refusals.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The maximum number of running deployments that a refusal names. */
const NAMED = 3;

/** The limits on deploys. In `running`, `runningPerPerson` and `perHour`, 0 means no limit. */
export interface Limits {
  /** The maximum number of running deployments of the account, and of each person. */
  readonly running: number;
  readonly runningPerPerson: number;
  /** The maximum number of deploys of each person within an hour. */
  readonly perHour: number;
  /** If at least this many deployments are running, a person must confirm a deploy. */
  readonly confirmFrom: number;
}

export interface GuardParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly account: string;
  /** The only applications whose deployments a refusal may name. If undefined, a refusal may name any deployment. */
  readonly allowlist: readonly string[] | undefined;
  readonly deployLimits: Limits;
}

export type Guard = ReturnType<typeof createGuard>;
type Rows = ReturnType<typeof running>;

/** Limits how much the people of an account can deploy, and therefore the costs. */
export function createGuard({ store, clock, account, allowlist, deployLimits: limits }: GuardParts) {
  /** Returns the number of rows, and the time at which a person ordered the oldest of these deployments. */
  const count = (rows: Rows) =>
    rows
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min<number>('created_at').as('first')])
      .executeTakeFirstOrThrow();
  const newest = (rows: Rows) =>
    rows
      .select(['request_id', 'application', 'version', 'asker_name'])
      // SQL allows no empty lists, so this list begins with the empty name, which no application has.
      .$if(allowlist !== undefined, (all) => all.where('application', 'in', ['', ...(allowlist ?? [])]))
      .orderBy('created_at', 'desc')
      .limit(NAMED)
      .execute();

  async function checkRunning(rows: Rows, limit: number, of: 'from chat ' | 'of yours '): Promise<void> {
    if (limit === 0) return;
    const { count: reached } = await count(rows);
    if (reached < limit) return;
    const [limited, setting] =
      of === 'of yours '
        ? (['the limit for each person', 'MAX_RUNNING_PER_PERSON'] as const)
        : (['the limit', 'MAX_RUNNING'] as const);
    const problem = `${theyRun(reached, of)}, and ${limited} is ${limit}.`;
    const next = 'Stop a server that is no longer needed.';
    throw limitReached(setting, { problem, next, newest: await newest(rows) });
  }

  /**
   * Checks the deploys of the last hour. Deployments that Edgegap refused do not count, because they certainly did not
   * start.
   */
  async function checkHour(rows: Rows, limit: number, own: Rows): Promise<void> {
    if (limit === 0) return;
    const now = clock.now();
    const within = rows
      .where('created_at', '>', now - HOUR_MS)
      .where('created_at', '<=', farthest(now))
      .where('phase', '!=', 'refused');
    const { count: times, first } = await count(within);
    if (times < limit) return;
    const minutes = Math.max(1, Math.ceil(((first ?? now) + HOUR_MS - now) / MINUTE_MS));
    const problem = `You have deployed ${times === 1 ? 'once' : `${times} times`} within the last hour, and the limit for each person is ${limit}.`;
    const next = `Try again in ${minutes === 1 ? '1 minute' : `${minutes} minutes`}.`;
    throw limitReached('MAX_DEPLOYS_PER_HOUR', { problem, next, newest: await newest(own) });
  }

  /** `except` is the id of the deployment that is being checked, if it is already stored. */
  async function check(db: Store, by: Deployer, except = ''): Promise<void> {
    const own = running(db, account, except, by);
    await checkRunning(running(db, account, except), limits.running, 'from chat ');
    await checkRunning(own, limits.runningPerPerson, 'of yours ');
    await checkHour(deploysOf(db, account, except, by), limits.perHour, own);
  }

  return {
    /**
     * Throws RefusedError if the person may not deploy now. After a successful check, deploys of other people may still
     * reach the limit first.
     */
    check: (by: Deployer) => check(store, by),
    /**
     * Throws RefusedError if the intent exceeds a limit. `tx` has already inserted the intent. Intents that count
     * towards the same limit, of the account or of the person, are checked one after another, even in several
     * processes. Each check waits until the transaction of the previous check has ended.
     */
    async admit(tx: Store, { id, asker, at }: Pick<Deployment, 'id' | 'asker' | 'at'>): Promise<void> {
      if (limits.running + limits.runningPerPerson + limits.perHour === 0) return;
      const person = [at.platform, at.workspace, asker.id];
      const name = ['deploys of', account, ...(limits.running > 0 ? [] : person)].join(' ');
      // This statement locks the row until the transaction ends. Therefore the next statement sees all intents that
      // were admitted earlier.
      await tx
        .insertInto('leases')
        .values({ name, holder: null, until: 0 })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ until: 0 }))
        .execute();
      await check(tx, { id: asker.id, at }, id);
    },
    /**
     * Returns the number of running deployments if a person must confirm a new deploy. Undefined if no confirmation is
     * needed.
     */
    async toConfirm(): Promise<number | undefined> {
      const { count: many } = await count(running(store, account, ''));
      return many >= limits.confirmFrom ? many : undefined;
    },
  };
}
