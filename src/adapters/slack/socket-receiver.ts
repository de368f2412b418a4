import type { App } from '@slack/bolt';
import { within } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import { toDeliveryError } from './errors.ts';
import { startError } from './identity.ts';
import type { SlackReceiver } from './receiver.ts';
import { type Connection, createConnection, type SocketOptions } from './socket-connection.ts';

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;
/** A connection that lasts less than this time counts as failed. */
const SETTLED_MS = 10_000;
const CLOSE_MS = 2000;

/**
 * Receives requests in Socket Mode. Slack regularly demands a new connection. The bot opens the new connection before
 * it closes the old connection. Bolt's own client would wait for five seconds between the two connections, and commands
 * would fail during this time. If a reconnection fails, Bolt's client also causes an unhandled rejection
 * (SocketModeClient.delayReconnectAttempt, socket-mode 3.1).
 */
export function createSocketReceiver({
  log,
  ...options
}: SocketOptions & { readonly log: Logger }): SlackReceiver {
  const { clock } = options;
  let app: App | undefined;
  let wanted = false;
  let current: Connection | undefined;
  /** The previous connection, on which Slack may still send requests. */
  let left: Connection | undefined;
  /** The connection that is being opened. */
  let next: Connection | undefined;
  let attempt: Promise<void> | undefined;
  let failures = 0;
  let cancelRetry: (() => void) | undefined;

  function opened(connection: Connection): void {
    // The bot gave up this connection before it opened. Bolt's client cannot cancel its request for a connection, so
    // the bot closes the connection now.
    if (connection !== next) return void connection.close();
    if (!wanted) return;
    log.info({}, 'slack: connected');
    // Closes the oldest connection, because Slack allows only ten connections per app.
    void left?.close();
    left = current;
    left?.leave();
    current = connection;
    next = undefined;
  }

  function lost(connection: Connection): void {
    if (connection === left) left = undefined;
    if (connection !== current) return;
    current = undefined;
    if (!hasSettled(connection)) failures += 1;
    reconnect();
  }

  function hasSettled(connection: Connection): boolean {
    const settled = connection.age() >= SETTLED_MS;
    if (settled) failures = 0;
    return settled;
  }

  function reconnect(atLeast = 0): void {
    if (!wanted || next || cancelRetry) return;
    const backoff = failures === 0 ? 0 : Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MAX_MS);
    cancelRetry = clock.after(Math.max(backoff, atLeast), () => {
      cancelRetry = undefined;
      attempt = tryAgain();
    });
  }

  async function connect(): Promise<void> {
    if (!app) throw new Error('The receiver was not given to Bolt');
    const connection: Connection = createConnection({
      ...options,
      app,
      onOpen: () => opened(connection),
      onRenewal: () => connection === current && reconnect(hasSettled(connection) ? 0 : RETRY_FIRST_MS),
      onLost: () => lost(connection),
    });
    next = connection;
    try {
      await connection.open();
      if (!wanted) await connection.close();
    } finally {
      if (next === connection) next = undefined;
    }
  }

  async function tryAgain(): Promise<void> {
    try {
      await connect();
    } catch (error) {
      if (!wanted) return;
      failures += 1;
      const err = startError('SLACK_APP_TOKEN', 'the token again', error);
      log.warn({ err, failures }, 'slack: cannot connect');
      reconnect(toDeliveryError(error).retryAfterMs);
    }
  }

  return {
    bolt: {
      init(given) {
        app = given;
      },
      start: connect,
      stop: async () => undefined,
    },
    async open() {
      wanted = true;
      try {
        attempt = connect();
        await attempt;
      } catch (error) {
        if (!wanted) return;
        wanted = false;
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
      const closed = [current, left, next].map((connection) => connection?.close());
      // Bolt's client cannot cancel its request for a connection. If the connection opens after this call, the bot
      // closes the connection at once.
      await within(clock, CLOSE_MS, Promise.allSettled([...closed, attempt]));
    },
    isOpen: () => current !== undefined,
  };
}
