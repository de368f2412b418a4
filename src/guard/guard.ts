import type { Clock } from '../clock.ts';
import type { Deployment } from '../deployments/deployment.ts';
import { type Deployer, Running } from '../deployments/running.ts';
import type { Store } from '../store/schema.ts';
import { hourSpent, tooMany, type Whose } from './refusals.ts';

const HOUR_MS = 60 * 60_000;
/** How many running deployments a refusal names. */
const NAMED = 3;

/** 0 stands for no limit. */
export interface Limits {
  /** Running deployments of the account, and of each person. */
  readonly running: number;
  readonly runningPerPerson: number;
  /** Deploys of each person within an hour. */
  readonly perHour: number;
  /** From this many running deployments on, a person is asked before a deploy. */
  readonly confirmFrom: number;
}

interface GuardParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly account: string;
  /** The only applications whose deployments a refusal may name; undefined: all. */
  readonly allowlist: readonly string[] | undefined;
  readonly limits: Limits;
}

export type Guard = ReturnType<typeof createGuard>;

/** Keeps the people of one account from spending without limit. */
export function createGuard({ store, clock, account, allowlist, limits }: GuardParts) {
  const hasLimits = limits.running + limits.runningPerPerson + limits.perHour > 0;

  /** Throws RefusedError at the first limit that is reached. `except`: the deployment that asks. */
  async function check(db: Store, by: Omit<Deployer, 'account'>, except?: string): Promise<void> {
    const running = new Running(db, { ...by, account }, except);
    const named = (whose: Whose) => running.newest(whose, NAMED, allowlist);
    for (const [whose, limit] of [
      ['account', limits.running],
      ['person', limits.runningPerPerson],
    ] as const) {
      const count = limit > 0 ? await running.count(whose) : -1;
      if (count >= limit) throw tooMany(whose, { count, limit, named: await named(whose) });
    }
    if (limits.perHour === 0) return;
    const now = clock.now();
    const { count, first } = await running.since(now - HOUR_MS, now);
    if (count < limits.perHour) return;
    const waitMs = (first ?? now) + HOUR_MS - now;
    throw hourSpent({ count, limit: limits.perHour, named: await named('person'), waitMs });
  }

  return {
    /** Throws RefusedError where the person may not deploy now. Another person may still be faster. */
    check: (by: Omit<Deployer, 'account'>) => check(store, by),
    /**
     * Throws RefusedError where the intent, which `tx` has inserted, is one too many. The account's intents pass here one
     * after the other, on all processes, until their transactions end.
     */
    async admit(tx: Store, intent: Pick<Deployment, 'id' | 'asker' | 'at'>): Promise<void> {
      if (!hasLimits) return;
      // The next statement then sees all intents that were admitted before.
      await tx
        .insertInto('leases')
        .values({ name: `deploys of ${account}`, holder: null, until: 0 })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ until: 0 }))
        .execute();
      await check(tx, intent, intent.id);
    },
    /** How many deployments run, where a person is to be asked before a further deploy; else undefined. */
    async toConfirm(by: Omit<Deployer, 'account'>): Promise<number | undefined> {
      if (limits.confirmFrom === Number.POSITIVE_INFINITY) return undefined;
      const count = await new Running(store, { ...by, account }).count('account');
      return count >= limits.confirmFrom ? count : undefined;
    },
  };
}
