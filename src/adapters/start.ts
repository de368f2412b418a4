import type { Adapter } from '../chat/port.ts';
import { AppError, ConfigError } from '../errors.ts';
import { createReceivingTurn, type ReceivingTurn, type ReceivingTurnParts, type Role } from './receiving.ts';

const RETRY_FIRST_MS = 5_000;
/** Rare enough for Discord, which allows a bot a thousand logins a day. */
const RETRY_MAX_MS = 5 * 60_000;

export type Platforms = ReturnType<typeof createPlatforms>;

interface PlatformsParts extends Omit<ReceivingTurnParts, 'adapter' | 'lost' | 'random'> {
  readonly adapters: readonly Adapter[];
  /** No platform is left, and none will come back by itself. */
  readonly over: (error: AppError) => void;
}

/**
 * The chat platforms, each on its own: one that is away or set up wrong must not take the others, and Edgegap's
 * callbacks, down with it, nor log the others in again and again. What cannot be reached is tried again; what only
 * another setting can mend is said, and left alone.
 */
export function createPlatforms(parts: PlatformsParts) {
  const { adapters, clock, log, inbox, over } = parts;
  const retries = new Map<Adapter, () => void>();
  const gone = new Set<Adapter>();
  const turns = new Map<Adapter, ReceivingTurn>();
  for (const adapter of adapters)
    if (adapter.exclusive)
      turns.set(
        adapter,
        createReceivingTurn({ ...parts, adapter, lost: (error) => givenUp(adapter, error) }),
      );
  let stopped = false;

  const begin = (adapter: Adapter) =>
    turns.get(adapter)?.start() ?? adapter.start(inbox, (error) => givenUp(adapter, error));
  const end = (adapter: Adapter) => (turns.get(adapter) ?? adapter).stop();

  function givenUp(adapter: Adapter, error: AppError): void {
    if (stopped) return;
    log.error(
      { platform: adapter.platform, ...reasonIn(error) },
      'platforms: one cannot be used until its settings are mended and the bot is restarted',
    );
    gone.add(adapter);
    if (gone.size === adapters.length) over(error);
  }

  function failed(adapter: Adapter, error: unknown, attempts: number): void {
    if (stopped) return;
    if (error instanceof ConfigError) return void givenUp(adapter, error);
    const retryMs = Math.min(RETRY_FIRST_MS * 2 ** attempts, RETRY_MAX_MS);
    const { platform } = adapter;
    const why = error instanceof AppError ? reasonIn(error) : { err: error };
    log.error({ platform, ...why, retryMs }, 'platforms: one does not start, and is tried again');
    retries.set(
      adapter,
      clock.after(retryMs, () => void again(adapter, attempts + 1)),
    );
  }

  async function again(adapter: Adapter, attempts: number): Promise<void> {
    try {
      await begin(adapter);
      // It took so long that the end came first.
      if (stopped) await end(adapter);
      else log.info({ platform: adapter.platform }, 'platforms: one has started after all');
    } catch (error) {
      failed(adapter, error, attempts);
    }
  }

  /** Receives nothing more, except what comes to the bot's own port; another process may. */
  async function handOver(): Promise<void> {
    stopped = true;
    for (const cancel of retries.values()) cancel();
    await Promise.allSettled(adapters.filter(({ http }) => !http).map(end));
  }

  return {
    /**
     * Resolves once one platform works, or is received from by another process; the others go on by themselves. Throws
     * when none does: nobody could be told anything, and what runs the process starts it again.
     */
    async start(): Promise<void> {
      const starts = adapters.map(begin);
      if (starts.length === 0) return;
      const one = Promise.any(starts);
      for (const [index, adapter] of adapters.entries())
        starts[index]?.catch((error: unknown) =>
          one.then(
            () => failed(adapter, error, 0),
            () => undefined,
          ),
        );
      await one.catch(({ errors }: AggregateError) => {
        throw reasonOf(errors);
      });
    },
    handOver,
    /** Receives nothing more, and sends nothing. */
    async close(): Promise<void> {
      await handOver();
      await Promise.allSettled(adapters.map((adapter) => adapter.close()));
    },
    /** Each platform by name: whether it works here, and what this process is to it where only one may receive. */
    state: (): Readonly<Record<string, { readonly healthy: boolean; readonly role?: Role }>> =>
      Object.fromEntries(
        adapters.map((adapter) => {
          const turn = turns.get(adapter);
          return [adapter.platform, { healthy: (turn ?? adapter).healthy(), role: turn?.role }];
        }),
      ),
  };
}

/** For the log. */
function reasonIn({ code, userMessage, hint }: AppError) {
  return { code, problem: userMessage, hint };
}

/** Every wrong setting at once, before anything that may pass by itself. */
function reasonOf(errors: readonly unknown[]): unknown {
  const settings = errors.filter((error) => error instanceof ConfigError);
  return settings.length > 0 ? new ConfigError(settings.flatMap(({ problems }) => problems)) : errors[0];
}
