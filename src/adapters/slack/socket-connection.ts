import type { App } from '@slack/bolt';
import { type Clock, stopwatch, within } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';
import type { SlackApi } from './api.ts';
import type { createBoltLogger } from './bolt-logger.ts';
import { SocketModeReceiver } from './bolt-package.ts';

/** The longest wait for Slack's hello message, counted from the request for a connection. */
const HELLO_MS = 20_000;
/**
 * The bot closes an old connection when no message has arrived on it for this long. The bot has to acknowledge each
 * request on the connection on which the request arrived. Slack waits only three seconds for an acknowledgement, so all
 * acknowledgements have been sent by then.
 */
const QUIET_MS = 5000;

export interface SocketOptions {
  readonly appToken: string;
  readonly api: SlackApi;
  readonly logger: ReturnType<typeof createBoltLogger>;
  readonly clock: Clock;
}

interface ConnectionParts extends SocketOptions {
  readonly app: App;
  readonly onOpen: () => void;
  /** Called when Slack is about to close the connection. */
  readonly onRenewal: () => void;
  readonly onLost: () => void;
}

export type Connection = ReturnType<typeof createConnection>;

/**
 * A connection in Bolt's Socket Mode. Each connection has a client of its own, because Bolt's client keeps track of
 * only its newest connection.
 */
export function createConnection(parts: ConnectionParts) {
  const { appToken, api, logger, clock } = parts;
  const receiver = new SocketModeReceiver({
    appToken,
    logger,
    dispatcher: api.agent,
    autoReconnectEnabled: false,
    installerOptions: { clientOptions: api.options },
  });
  receiver.init(parts.app);
  const { client } = receiver;
  let age = () => 0;
  let cancelLeaving: (() => void) | undefined;

  client.on('connected', () => {
    age = stopwatch(clock);
    parts.onOpen();
  });
  client.on('disconnected', () => {
    cancelLeaving?.();
    parts.onLost();
  });
  // Bolt's client would close the connection as soon as Slack announces a renewal, before the bot has a new connection.
  // The handler below therefore keeps these announcements from the client's own handlers.
  const handlers = client.listeners('ws_message');
  client.removeAllListeners('ws_message');
  client.on('ws_message', (message, isBinary) => {
    if (cancelLeaving) leave();
    if (isRenewal(message)) parts.onRenewal();
    else for (const handle of handlers) handle.call(client, message, isBinary);
  });

  /** Closes the connection when no message has arrived for `QUIET_MS`. */
  function leave(): void {
    cancelLeaving?.();
    cancelLeaving = clock.after(QUIET_MS, () => void close());
  }

  async function close(): Promise<void> {
    cancelLeaving?.();
    await client.disconnect();
  }

  /**
   * Opens the connection, and resolves when Slack's hello message arrives. Throws after `HELLO_MS`, because Bolt's
   * client has no time limit for the hello message.
   */
  async function open(): Promise<void> {
    const greeted = client.start().then(() => true);
    if (await within(clock, HELLO_MS, greeted)) return;
    void close();
    throw new DeliveryError('slack-no-hello', 'Slack accepted my connection, but sent nothing.', {
      hint: 'Check whether a proxy blocks WebSockets.',
      outcome: 'not-sent',
      retryable: true,
    });
  }

  return { open, leave, close, age: () => age() };
}

function isRenewal(message: unknown): boolean {
  try {
    const { type, reason } = JSON.parse(String(message));
    return type === 'disconnect' && (reason === 'warning' || reason === 'refresh_requested');
  } catch {
    return false;
  }
}
