import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy for a TCP server on this machine. The test can break its connections. */
export interface TcpProxy {
  readonly port: number;
  /** Breaks every connection, and refuses new connections. */
  cut(): void;
  /** From now on, the proxy passes no data on and closes no connection, as if a cable were pulled. */
  freeze(): void;
  /** Lets new connections work again. Connections that were frozen stay useless. */
  restore(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  let state: 'open' | 'cut' | 'frozen' = 'open';
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy();
    const far = connect(target);
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    if (state === 'frozen') return void near.pause();
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      state = 'cut';
      for (const [near] of pairs) near.destroy();
    },
    freeze() {
      state = 'frozen';
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        near.pause();
        far.pause();
      }
    },
    restore() {
      state = 'open';
    },
    close() {
      for (const [near] of pairs) near.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
