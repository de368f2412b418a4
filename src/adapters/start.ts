import type { Adapter } from '../chat/port.ts';
import { AppError, ConfigError } from '../errors.ts';
import { createSoleReceiver, type Role, type SoleReceiver, type SoleReceiverParts } from './receiving.ts';

const RETRY_FIRST_MS = 5_000;
/** Rare enough for Discord, which allows a bot a thousand logins a day. */
const RETRY_MAX_MS = 5 * 60_000;

export type Platforms = ReturnType<typeof createPlatforms>;

interface PlatformsParts extends Omit<SoleReceiverParts, 'adapter' | 'lost' | 'random'> {
  readonly adapters: readonly Adapter[];
  /** Called when every platform has been given up: only new settings and a restart bring a platform back. */
  readonly over: (error: AppError) => void;
}

/**
 * The chat platforms, each started alone: a platform that is away or set up wrong must neither stop the other platforms
 * and Edgegap's callbacks, nor make the other platforms log in again and again. A platform that cannot be reached is
 * tried again; a platform with wrong settings is logged and left alone.
 */
export function createPlatforms(parts: PlatformsParts) {
  const { adapters, clock, log, inbox, over } = parts;
  const retries = new Map<Adapter, () => void>();
  const gone = new Set<Adapter>();
  const receivers = new Map<Adapter, SoleReceiver>();
  for (const adapter of adapters)
    if (adapter.exclusive)
      receivers.set(
        adapter,
        createSoleReceiver({ ...parts, adapter, lost: (error) => giveUp(adapter, error) }),
      );
  let stopped = false;

  const begin = (adapter: Adapter) =>
    receivers.get(adapter)?.start() ?? adapter.start(inbox, (error) => giveUp(adapter, error));
  const end = (adapter: Adapter) => (receivers.get(adapter) ?? adapter).stop();

  function giveUp(adapter: Adapter, error: AppError): void {
    if (stopped) return;
    log.error(
      { platform: adapter.platform, ...logFields(error) },
      'platforms: a platform cannot be used; correct its settings and restart the bot',
    );
    gone.add(adapter);
    if (gone.size === adapters.length) over(error);
  }

  function retryOrGiveUp(adapter: Adapter, error: unknown, attempts: number): void {
    if (stopped) return;
    if (error instanceof ConfigError) return void giveUp(adapter, error);
    const retryMs = Math.min(RETRY_FIRST_MS * 2 ** attempts, RETRY_MAX_MS);
    const { platform } = adapter;
    const why = error instanceof AppError ? logFields(error) : { err: error };
    log.error({ platform, ...why, retryMs }, 'platforms: a platform did not start and will be tried again');
    retries.set(
      adapter,
      clock.after(retryMs, () => void retry(adapter, attempts + 1)),
    );
  }

  async function retry(adapter: Adapter, attempts: number): Promise<void> {
    try {
      await begin(adapter);
      // The bot was stopped while the platform was starting.
      if (stopped) await end(adapter);
      else log.info({ platform: adapter.platform }, 'platforms: a platform has started after all');
    } catch (error) {
      retryOrGiveUp(adapter, error, attempts);
    }
  }

  /** Stops receiving, except by HTTP on the bot's own port, so that the next process may receive. */
  async function handOver(): Promise<void> {
    stopped = true;
    for (const cancel of retries.values()) cancel();
    await Promise.allSettled(adapters.filter(({ http }) => !http).map(end));
  }

  return {
    /**
     * Resolves once a platform works here or another process receives from a platform; failed platforms are tried again.
     * Throws if no platform starts: without a platform no person can be told anything, so the process should end and be
     * started again by its supervisor.
     */
    async start(): Promise<void> {
      const starts = adapters.map(begin);
      if (starts.length === 0) return;
      const firstStart = Promise.any(starts);
      for (const [index, adapter] of adapters.entries())
        starts[index]?.catch((error: unknown) =>
          firstStart.then(
            () => retryOrGiveUp(adapter, error, 0),
            () => undefined,
          ),
        );
      await firstStart.catch(({ errors }: AggregateError) => {
        throw startError(errors);
      });
    },
    handOver,
    /** Stops receiving and sending. */
    async close(): Promise<void> {
      await handOver();
      await Promise.allSettled(adapters.map((adapter) => adapter.close()));
    },
    /** By platform: whether the platform works here, and the role of this process if only one process may receive. */
    state: (): Readonly<Record<string, { readonly healthy: boolean; readonly role?: Role }>> =>
      Object.fromEntries(
        adapters.map((adapter) => {
          const receiver = receivers.get(adapter);
          return [adapter.platform, { healthy: (receiver ?? adapter).healthy(), role: receiver?.role }];
        }),
      ),
  };
}

/** An error as fields of a log line. */
function logFields({ code, userMessage, hint }: AppError) {
  return { code, problem: userMessage, hint };
}

/** All wrong settings as one error; if no setting is wrong, the first error, which may pass by itself. */
function startError(errors: readonly unknown[]): unknown {
  const settings = errors.filter((error) => error instanceof ConfigError);
  return settings.length > 0 ? new ConfigError(settings.flatMap(({ problems }) => problems)) : errors[0];
}
