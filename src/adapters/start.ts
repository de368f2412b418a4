import type { Adapter } from '../chat/port.ts';
import { AppError, ConfigError } from '../errors.ts';
import { createSoleReceiver, type Role, type SoleReceiver, type SoleReceiverParts } from './receiving.ts';

const RETRY_FIRST_MS = 5_000;
/**
 * The longest pause between two attempts to start a platform. Discord allows a bot a thousand logins per day, and this
 * pause keeps the number of attempts below that limit.
 */
const RETRY_MAX_MS = 5 * 60_000;

export type Platforms = ReturnType<typeof createPlatforms>;

interface PlatformsParts extends Omit<SoleReceiverParts, 'adapter' | 'lost' | 'random'> {
  readonly adapters: readonly Adapter[];
  /**
   * Called when the bot has given up every platform. The platforms work again only after a change of settings and a
   * restart.
   */
  readonly over: (error: AppError) => void;
  /** Called when the bot gives up a platform because of a wrong setting. */
  readonly gaveUp?: (platform: string, error: AppError) => void;
}

/**
 * Starts and stops the chat platforms independently of each other. If a platform is unreachable or has a wrong setting,
 * the other platforms and Edgegap's callbacks keep working. The bot tries an unreachable platform again. If a setting
 * is wrong, the bot logs an error and does not try the platform again.
 */
export function createPlatforms(parts: PlatformsParts) {
  const { adapters, clock, log, inbox, over, gaveUp } = parts;
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
    gaveUp?.(adapter.platform, error);
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

  /** Stops receiving, so that another process can receive. The bot still receives HTTP requests on its own port. */
  async function handOver(): Promise<void> {
    stopped = true;
    for (const cancel of retries.values()) cancel();
    await Promise.allSettled(adapters.filter(({ http }) => !http).map(end));
  }

  return {
    /**
     * Resolves when at least one platform works in this process, or when another process receives from the platform.
     * The bot tries failed platforms again. Throws if no platform starts, because the bot then cannot report the
     * failure to people. The process should then end, so that its supervisor starts the process again.
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
    /**
     * Whether each platform works in this process. `role` is set if only one process at a time may receive from the
     * platform.
     */
    state: (): Readonly<Record<string, { readonly healthy: boolean; readonly role?: Role }>> =>
      Object.fromEntries(
        adapters.map((adapter) => {
          const receiver = receivers.get(adapter);
          return [adapter.platform, { healthy: (receiver ?? adapter).healthy(), role: receiver?.role }];
        }),
      ),
  };
}

/** Turns an error into the fields of a log line. */
function logFields({ code, userMessage, hint }: AppError) {
  return { code, problem: userMessage, hint };
}

/**
 * Combines all errors about wrong settings into a single error. If no setting is wrong, returns the first error, which
 * may be temporary.
 */
function startError(errors: readonly unknown[]): unknown {
  const settings = errors.filter((error) => error instanceof ConfigError);
  return settings.length > 0 ? new ConfigError(settings.flatMap(({ problems }) => problems)) : errors[0];
}
