import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { until } from './test-clock.ts';

export type EnvelopeKind = 'slash_commands' | 'interactive' | 'events_api';

/** The server of Slack's Socket Mode. */
export class SlackSocket {
  /** The number of connections that have received a hello so far. */
  greeted = 0;
  /** The number of next connections that get no hello. */
  silent = 0;
  /** The connection on which Slack sends its requests if several connections are open. */
  route: 'newest' | 'oldest' = 'newest';
  readonly acknowledged: { readonly envelope_id: string; readonly payload?: unknown }[] = [];
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #open = new Set<WebSocket>();
  readonly #deliveredOn = new Map<string, WebSocket>();
  #envelopes = 0;

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (connection) => {
      this.#open.add(connection);
      connection.on('close', () => this.#open.delete(connection));
      connection.on('message', (data) => {
        const acknowledgement = JSON.parse(String(data)) as { envelope_id: string };
        if (this.#deliveredOn.get(acknowledgement.envelope_id) === connection)
          this.acknowledged.push(acknowledgement);
      });
      if (this.silent > 0) {
        this.silent -= 1;
        return;
      }
      connection.send(
        JSON.stringify({
          type: 'hello',
          num_connections: this.#open.size,
          debug_info: { host: 'local', approximate_connection_time: 3600 },
          connection_info: { app_id: 'A0EDGEGAP' },
        }),
      );
      this.greeted += 1;
    });
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Sends an envelope on a connection, and waits until the bot acknowledges it on the same connection. */
  async deliver(
    type: EnvelopeKind,
    payload: unknown,
    retry?: { readonly attempt: number },
  ): Promise<unknown> {
    const connection = [...this.#open].at(this.route === 'newest' ? -1 : 0);
    if (!connection) throw new Error('No Socket Mode connection is open');
    this.#envelopes += 1;
    const envelope_id = `envelope-${this.#envelopes}`;
    this.#deliveredOn.set(envelope_id, connection);
    connection.send(
      JSON.stringify({
        envelope_id,
        type,
        payload,
        accepts_response_payload: type !== 'events_api',
        ...(type === 'events_api'
          ? { retry_attempt: retry?.attempt ?? 0, retry_reason: retry ? 'timeout' : '' }
          : {}),
      }),
    );
    const ack = await until(
      () => this.acknowledged.find((message) => message.envelope_id === envelope_id),
      `the acknowledgement of ${type}`,
    );
    return ack.payload;
  }

  /** Announces, like Slack, that the newest connection will be closed. */
  refresh(reason: 'warning' | 'refresh_requested' | 'link_disabled' = 'refresh_requested'): void {
    [...this.#open]
      .at(-1)
      ?.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'local' } }));
  }

  /** Closes the oldest connection. */
  end(): void {
    [...this.#open][0]?.close();
  }

  /** Breaks all connections. */
  drop(): void {
    for (const connection of this.#open) connection.terminate();
  }

  close(): void {
    this.drop();
    this.#server.close();
  }
}
