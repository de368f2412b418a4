import { SocketModeReceiver } from '@slack/bolt';
import { type Clock, stopwatch } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { SlackApi } from './api.ts';
import type { createBoltLogger } from './bolt-logger.ts';
import type { Door } from './door.ts';
import { toDeliveryError } from './errors.ts';
import { startError } from './identity.ts';

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;
/** A connection that ended sooner than this counts as a failed one. */
const SETTLED_MS = 10_000;
const CLOSE_MS = 2000;
/** How long Slack may take from the asking for a connection to its hello. */
const HELLO_MS = 20_000;

/**
 * Bolt's Socket Mode, with reconnecting of our own. The client's waits five seconds after each of Slack's regular
 * refreshes, in which commands fail, and leaves a rejection unhandled when it cannot reconnect
 * (SocketModeClient.delayReconnectAttempt, socket-mode 3.1).
 */
export function createSocketDoor(parts: {
  readonly appToken: string;
  readonly api: SlackApi;
  readonly logger: ReturnType<typeof createBoltLogger>;
  readonly clock: Clock;
  readonly log: Logger;
}): Door {
  const { appToken, api, logger, clock, log } = parts;
  const receiver = new SocketModeReceiver({
    appToken,
    logger,
    dispatcher: api.agent,
    autoReconnectEnabled: false,
    installerOptions: { clientOptions: api.options },
  });
  const { client } = receiver;
  let wanted = false;
  let connectedForMs: (() => number) | undefined;
  let failures = 0;
  let cancelRetry: (() => void) | undefined;

  client.on('connected', () => {
    connectedForMs = stopwatch(clock);
    log.info({}, 'slack: connected');
  });
  client.on('disconnected', () => {
    const settled = connectedForMs !== undefined && connectedForMs() >= SETTLED_MS;
    const lost = connectedForMs !== undefined;
    connectedForMs = undefined;
    if (!wanted || !lost) return;
    failures = settled ? 0 : failures + 1;
    reconnect();
  });

  function reconnect(atLeast = 0): void {
    cancelRetry?.();
    const backoff = failures === 0 ? 0 : Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MAX_MS);
    cancelRetry = clock.after(Math.max(backoff, atLeast), () => void tryAgain());
  }

  /** The client waits for the hello for as long as the connection lasts, which may be for ever. */
  async function connect(): Promise<void> {
    const greeted = client.start().then(() => true);
    if (await first(greeted, HELLO_MS)) return;
    greeted.catch(() => undefined);
    await hangUp();
    throw new DeliveryError('slack_no_hello', 'Slack took a connection and said nothing on it.', {
      hint: 'Is there a proxy that does not pass WebSockets on?',
      outcome: 'not-sent',
      retryable: true,
    });
  }

  async function hangUp(): Promise<void> {
    await first(client.disconnect(), CLOSE_MS);
  }

  /** What it resolves with, or undefined when that takes longer than `ms`. */
  async function first<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
    let cancel = (): void => undefined;
    const limit = new Promise<undefined>((resolve) => {
      cancel = clock.after(ms, () => resolve(undefined));
    });
    return await Promise.race([work, limit]).finally(() => cancel());
  }

  async function tryAgain(): Promise<void> {
    if (!wanted) return;
    try {
      await connect();
      if (!wanted) await client.disconnect();
    } catch (error) {
      failures += 1;
      log.warn({ err: startError('SLACK_APP_TOKEN', 'it again', error), failures }, 'slack: cannot connect');
      if (wanted) reconnect(toDeliveryError(error).retryAfterMs);
    }
  }

  return {
    receiver,
    async open() {
      try {
        await connect();
        wanted = true;
      } catch (error) {
        throw startError(
          'SLACK_APP_TOKEN',
          'an app-level token with the scope connections:write from "Basic Information"',
          error,
        );
      }
    },
    async close() {
      wanted = false;
      cancelRetry?.();
      if (connectedForMs === undefined) return;
      await hangUp();
    },
    isOpen: () => connectedForMs !== undefined,
  };
}
