import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A connection between a process and its database that a test can break. */
export class Relay {
  readonly #server: Server;
  readonly #pairs = new Map<Socket, Socket>();
  readonly #asking = new Set<Socket>();
  #state: 'open' | 'cut' | 'silent' = 'open';
  #lifetime: (() => number) | undefined;
  /** The number of connections that broke because of `fray`. */
  breaks = 0;

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      if (this.#state === 'cut') return void client.destroy();
      const server = connect(port, host);
      this.#pairs.set(client, server);
      if (this.#lifetime) this.#wear(client, server, this.#lifetime());
      client.on('data', () => this.#asking.add(client)).pipe(server);
      server.on('data', () => this.#asking.delete(client)).pipe(client);
      const end = () => {
        client.destroy();
        server.destroy();
        this.#pairs.delete(client);
        this.#asking.delete(client);
      };
      for (const socket of [client, server]) socket.on('error', end).on('close', end);
      if (this.#state === 'silent') this.silence();
    });
  }

  /** Connects to the server of this URL. */
  static async to(url: string): Promise<Relay> {
    const { hostname, port } = new URL(url);
    const relay = new Relay(hostname, Number(port));
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  /** The same URL through this relay. */
  through(url: string): string {
    const through = new URL(url);
    through.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return through.href;
  }

  /** Whether a process is waiting for the server's answer. */
  get busy(): boolean {
    return this.#state !== 'silent' && this.#asking.size > 0;
  }

  /** The local ports of the connections to the server. */
  get ports(): number[] {
    return [...this.#pairs.values()].flatMap(({ localPort }) => localPort ?? []);
  }

  /** Breaks every connection. New connections also break. */
  cut(): void {
    this.#state = 'cut';
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** From now on, each connection breaks after `lifetime` pieces of data. */
  fray(lifetime: () => number): void {
    this.#lifetime = lifetime;
    for (const [client, server] of this.#pairs) this.#wear(client, server, lifetime());
  }

  #wear(client: Socket, server: Socket, pieces: number): void {
    let left = pieces;
    const count = () => {
      if (--left !== 0 || !this.#lifetime) return;
      this.breaks++;
      client.resetAndDestroy();
      server.resetAndDestroy();
    };
    client.on('data', count);
    server.on('data', count);
  }

  /** From now on, the relay passes no data on, and neither side notices. */
  silence(): void {
    this.#state = 'silent';
    for (const [client, server] of this.#pairs)
      for (const socket of [client, server]) socket.unpipe().pause();
  }

  /** From now on, new connections work again. */
  mend(): void {
    this.#state = 'open';
    this.#lifetime = undefined;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
