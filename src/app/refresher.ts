import { type Clock, stopwatch } from '../clock.ts';
import type { Roster } from '../command/roster.ts';
import type { Catalog } from '../deployments/catalog.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createLoop } from '../loop.ts';

const EVERY_MS = 5 * 60_000;
/** A random delay of up to this length keeps many processes from asking Edgegap at the same moment. */
const JITTER_MS = 60_000;
const RETRY_MS = 60_000;
/** If no person has typed for this long, the lists are read again only when a person types. */
const USED_MS = 60 * 60_000;
/** If a list was read less than this time ago, the list is not read again. */
const FRESH_MS = 60_000;
/** Maximum number of applications whose versions are read in the background. */
const MOST_APPLICATIONS = 200;

export interface RefresherParts {
  /** The id of the account. */
  readonly id: string;
  readonly catalog: Catalog;
  readonly roster: Roster;
  /** The names of the fleets whose hosts are suggested. */
  readonly fleets: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Reads the account's lists in the background, one after the other. The lists are read at the start, and then regularly
 * as long as people type. A process that receives no requests reads the lists only at the start. After a failure, the
 * process tries again. Requests of people take precedence.
 */
export function createRefresher({ id: account, catalog, roster, fleets, clock, log }: RefresherParts) {
  const stopping = new AbortController();
  const call = { lane: 'background', signal: stopping.signal } as const;
  let failing = false;
  let unusedMs = (): number => Number.POSITIVE_INFINITY;
  const isUsed = () => unusedMs() < USED_MS;
  const loop = createLoop({
    clock,
    run: () => refresh(),
    failed(err) {
      log.error({ account, err }, 'suggestions: the lists cannot be refreshed');
      return EVERY_MS;
    },
  });

  async function refresh(): Promise<number | undefined> {
    const failed: unknown[] = [];
    // If Edgegap refuses a list, the bot still reads the other lists.
    const attempt = (reading: Promise<unknown>) =>
      reading.catch((error: unknown) => {
        failed.push(error);
      });
    await attempt(catalog.applications(FRESH_MS, call));
    await attempt(catalog.locations(FRESH_MS, call));
    const active = catalog.lastSeen().filter(({ is_active }) => is_active);
    for (const { name } of active.slice(0, MOST_APPLICATIONS))
      await attempt(catalog.versions(name, FRESH_MS, call));
    // A failure is ignored here. The fleet may no longer exist, and then a further attempt would fail as well.
    for (const fleet of await fleets()) await catalog.hosts(fleet, FRESH_MS, call).catch(() => undefined);
    await attempt(roster.refresh(FRESH_MS, call));
    report(failed);
    if (failed.length > 0) return RETRY_MS;
    return isUsed() ? EVERY_MS + Math.random() * JITTER_MS : undefined;
  }

  /** Logs only the first of consecutive failures, because an outage of Edgegap can last for hours. */
  function report([err]: readonly unknown[]): void {
    if (err !== undefined && !failing && !stopping.signal.aborted) {
      const why = err instanceof AppError ? { code: err.code, reason: err.userMessage } : { err };
      log.warn({ account, ...why }, 'suggestions: a list cannot be read now, so old values are suggested');
    }
    failing = err !== undefined;
  }

  return {
    /** Reads the lists for the first time. Resolves when the attempt to read each list has succeeded or failed. */
    async start(): Promise<void> {
      loop.start();
      loop.wake();
      await loop.idle();
    },
    /** Called when a person types. */
    used(): void {
      const wasUsed = isUsed();
      unusedMs = stopwatch(clock);
      if (!wasUsed) loop.wake();
    },
    async stop(): Promise<void> {
      stopping.abort(new AppError('refresher-stopped', 'I am shutting down.'));
      await loop.stop();
    },
  };
}
