import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Client } from 'pg';

/** Codes that a client can send instead of a protocol version (PostgreSQL's manual, "Message Formats"). */
const SSL_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;

/**
 * Statements whose effect lasts longer than a transaction. Behind such a proxy, these statements would affect other
 * clients.
 */
const SESSION_STATE: readonly [string, RegExp][] = [
  ['LISTEN', /^\s*(un)?listen\b/i],
  ['SET without LOCAL', /^\s*set\s+(?!local\b|transaction\b|constraints\b)/i],
  ['set_config for the session', /\bset_config\s*\([^)]*\bfalse\s*\)/i],
  ['a session advisory lock', /\bpg_(try_)?advisory_(un)?lock(_shared|_all)?\s*\(/i],
  ['a named statement', /^\s*(prepare|deallocate)\b/i],
  ['a temporary table', /^\s*create\s+(global\s+|local\s+)?temp/i],
  ['a cursor held open', /\bwith\s+hold\b/i],
];

interface Backend {
  readonly stream: Socket;
  take(message: (type: string, whole: Buffer) => void): void;
}

/**
 * Speaks PostgreSQL's protocol like PgBouncer with pool_mode=transaction. A client gets a connection to the server for
 * a single transaction. Then the next waiting client gets the connection.
 */
export class PoolingProxy {
  /** The statements so far that are not allowed behind such a proxy. */
  readonly violations: string[] = [];
  /** The number of times that a connection passed from one client to a different client. */
  handovers = 0;
  /** The largest number of clients that were connected at the same time. */
  mostClients = 0;
  readonly #free: Backend[] = [];
  readonly #waiting: ((backend: Backend) => void)[] = [];
  readonly #clients = new Set<Socket>();
  readonly #lastUser = new Map<Backend, Socket>();
  readonly #server = createServer((client) => this.#serve(client));
  readonly #sessions: Client[] = [];
  readonly #database: string;

  private constructor(database: string) {
    this.#database = database;
  }

  /** Starts a proxy for any number of clients, with this many connections to `database` (a URL). */
  static async before(database: string, connections: number): Promise<PoolingProxy> {
    const proxy = new PoolingProxy(database);
    for (let index = 0; index < connections; index++) proxy.#free.push(await proxy.#connect());
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const url = new URL(this.#database);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return url.href;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#sessions) session.connection.stream.destroy();
  }

  /** The library pg signs in. After that, the proxy uses the socket itself. */
  async #connect(): Promise<Backend> {
    const session = new Client({ connectionString: this.#database });
    session.on('error', () => undefined);
    await session.connect();
    this.#sessions.push(session);
    const { stream } = session.connection;
    stream.removeAllListeners('data');
    let heard: (type: string, whole: Buffer) => void = () => undefined;
    stream.on(
      'data',
      messages((type, whole) => heard(type, whole)),
    );
    return {
      stream: stream as Socket,
      take: (message) => {
        heard = message;
      },
    };
  }

  #serve(client: Socket): void {
    let backend: Backend | undefined;
    /** The number of ReadyForQuery messages that the server still has to send. */
    let owed = 0;
    let begun = false;
    let work: Promise<void> = Promise.resolve();
    this.#clients.add(client);
    this.mostClients = Math.max(this.mostClients, this.#clients.size);
    const answer = (type: string, whole: Buffer) => {
      client.write(whole);
      if (type !== 'Z') return;
      owed--;
      if (owed > 0 || whole.toString('latin1', 5, 6) !== 'I' || !backend) return;
      this.#giveBack(backend);
      backend = undefined;
    };
    const forward = async (type: string, whole: Buffer) => {
      if (type === 'X') return void client.end();
      this.#check(type, whole);
      if (!backend) {
        backend = await this.#lend(client);
        backend.take(answer);
      }
      if (type === 'S' || type === 'Q') owed++;
      backend.stream.write(whole);
    };
    const parse = messages((type, whole) => {
      work = work.then(() => forward(type, whole));
    });
    client.on('data', (chunk: Buffer) => {
      if (begun) return parse(chunk);
      const code = chunk.readInt32BE(4);
      if (code === CANCEL_REQUEST) return void client.destroy();
      if (code === SSL_REQUEST) return void client.write('N');
      begun = true;
      client.write(Buffer.concat([authenticated, key, ready]));
      const rest = chunk.subarray(chunk.readInt32BE(0));
      if (rest.length > 0) parse(rest);
    });
    client.on('error', () => undefined);
    client.on('close', () => {
      this.#clients.delete(client);
      // If a client leaves during a transaction, the transaction is rolled back, as when a connection to the server
      // ends.
      void work.then(() => {
        if (!backend) return;
        const left = backend;
        left.take((type) => {
          if (type === 'Z' && --owed <= 0) this.#giveBack(left);
        });
        owed++;
        left.stream.write(frame('Q', Buffer.from('rollback\0')));
      });
    });
  }

  #check(type: string, whole: Buffer): void {
    if (type !== 'Q' && type !== 'P') return;
    const [name = '', text = ''] =
      type === 'Q'
        ? ['', cString(whole, 5)]
        : [cString(whole, 5), cString(whole, 6 + cString(whole, 5).length)];
    if (name !== '') this.violations.push(`a named statement: ${name}`);
    for (const [what, pattern] of SESSION_STATE)
      if (pattern.test(text)) this.violations.push(`${what}: ${text}`);
  }

  async #lend(client: Socket): Promise<Backend> {
    const backend =
      this.#free.shift() ?? (await new Promise<Backend>((resolve) => this.#waiting.push(resolve)));
    const last = this.#lastUser.get(backend);
    if (last && last !== client) this.handovers++;
    this.#lastUser.set(backend, client);
    return backend;
  }

  #giveBack(backend: Backend): void {
    const next = this.#waiting.shift();
    if (next) next(backend);
    else this.#free.push(backend);
  }
}

const authenticated = frame('R', Buffer.from([0, 0, 0, 0]));
const key = frame('K', Buffer.alloc(8));
const ready = frame('Z', Buffer.from('I'));

function frame(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** A text in UTF-8 that ends with a zero byte. Only the beginning of the text is needed. */
function cString(buffer: Buffer, from: number): string {
  return buffer.toString('latin1', from, buffer.indexOf(0, from));
}

/**
 * Splits a stream into messages. A message consists of its type, its length and its content. The length includes its
 * own bytes and the content.
 */
function messages(found: (type: string, whole: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const length = rest.readInt32BE(1) + 1;
      if (rest.length < length) return;
      const whole = rest.subarray(0, length);
      rest = rest.subarray(length);
      found(whole.toString('latin1', 0, 1), whole);
    }
  };
}
