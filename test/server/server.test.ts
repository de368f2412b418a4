import { connect } from 'node:net';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { buildServer, type ServerParts } from '../../src/server/server.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { TestClock, until } from '../support/test-clock.ts';

function bare(parts: Partial<ServerParts> = {}) {
  return buildServer({
    callbacks: { isOurs: async () => true, receive: async () => undefined },
    mounts: [],
    readiness: async () => ({ parts: { store: true } }),
    clock: pacedClock(20),
    log: pino({ level: 'silent' }),
    ...parts,
  });
}

async function serve(parts: Partial<ServerParts> = {}) {
  const server = bare(parts);
  const port = await server.listen(0);
  onTestFinished(() => server.close());
  return { server, port, url: `http://127.0.0.1:${port}` };
}

test('/healthz answers as long as the process is alive', async () => {
  const { url } = await serve({ readiness: async () => ({ parts: { store: false } }) });
  const answer = await fetch(`${url}/healthz`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
});

test('/readyz answers 503 and names each part that is down', async () => {
  const parts = { store: true, discord: false };
  const { url } = await serve({ readiness: async () => ({ parts }) });
  const down = await fetch(`${url}/readyz`);
  expect([down.status, await down.json()]).toEqual([503, { status: 'not ready', parts }]);
  parts.discord = true;
  const up = await fetch(`${url}/readyz`);
  expect([up.status, await up.json()]).toEqual([200, { status: 'ready', parts }]);
});

test('a stopping process answers /readyz with 503 and its roles, and closes connections after the answer', async () => {
  const roles = { discord: 'standby' };
  const { server, url } = await serve({ readiness: async () => ({ stopping: true, parts: {}, roles }) });
  const before = await fetch(`${url}/readyz`);
  expect([before.status, await before.json()]).toEqual([503, { status: 'stopping', parts: {}, roles }]);
  expect(before.headers.get('connection')).toBe('keep-alive');
  server.retire();
  expect((await fetch(`${url}/readyz`)).headers.get('connection')).toBe('close');
});

test.each([
  ['GET', '/'],
  ['POST', '/healthz'],
  ['GET', '/callbacks/edgegap/ready/a.b'],
  ['PUT', '/callbacks/edgegap/ready/a.b'],
  ['POST', '/callbacks/edgegap/ready'],
  ['POST', '/callbacks/edgegap/ready/a.b/c'],
  ['POST', '/callbacks/edgegap/toString/a.b'],
  ['GET', '/%'],
])(
  'the request "%s %s" is answered with a 404, and the answer repeats no part of the request',
  async (method, path) => {
    const { url } = await serve();
    const answer = await fetch(url + path, { method });
    expect([answer.status, await answer.json()]).toEqual([404, { error: 'not found' }]);
  },
);

test('a callback that cannot be stored is answered with a 503 that gives no reason', async () => {
  const receive = async () => {
    throw new Error('disk I/O error in /secret/path');
  };
  const { url } = await serve({ callbacks: { isOurs: async () => true, receive } });
  const answer = await fetch(`${url}/callbacks/edgegap/ready/a.b`, { method: 'POST', body: '{}' });
  expect([answer.status, await answer.json()]).toEqual([503, { error: 'try again later' }]);
});

test('the request handler of a chat platform receives the unchanged path of a request, including the query', async () => {
  const seen: (string | undefined)[] = [];
  const { url } = await serve({
    mounts: [
      {
        path: '/slack/events',
        listener: (request, response) => {
          seen.push(request.url);
          response.end('mine');
        },
      },
    ],
  });
  for (const path of ['/slack/events', '/slack/events?x=1'])
    expect(await (await fetch(url + path, { method: 'POST', body: 'a=b' })).text()).toBe('mine');
  expect((await fetch(`${url}/slack/events/more`, { method: 'POST' })).status).toBe(404);
  expect(seen).toEqual(['/slack/events', '/slack/events?x=1']);
});

test('if the port is already in use, the error names the port', async () => {
  const { port } = await serve();
  await expect(bare().listen(port)).rejects.toMatchObject({
    userMessage: `Port ${port} cannot be used: another program listens on it.`,
    hint: 'Set PORT to another number.',
  });
});

test('by default, the server answers on the IPv4 and the IPv6 address of the machine', async () => {
  const { port } = await serve();
  for (const host of ['127.0.0.1', '[::1]'])
    expect((await fetch(`http://${host}:${port}/healthz`)).status, host).toBe(200);
});

test('if the machine has no IPv6, the server answers on the IPv4 address', async () => {
  const server = bare();
  // This address is reserved for documentation (RFC 3849), so no machine has it.
  const port = await server.listen(0, ['2001:db8::1', '127.0.0.1']);
  onTestFinished(() => server.close());
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
});

test('if HOST is an address, the server listens only on that address', async () => {
  const server = bare();
  const port = await server.listen(0, ['::1']);
  onTestFinished(() => server.close());
  expect((await fetch(`http://[::1]:${port}/healthz`)).status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});

test('if HOST is an address that the machine does not have, the error names the address', async () => {
  await expect(bare().listen(0, ['2001:db8::1'])).rejects.toMatchObject({
    userMessage: 'HOST is 2001:db8::1, which is no address of this machine.',
    hint: 'Set HOST to an address of this machine, or leave HOST out.',
  });
});

test('the HTTP server stops even if a client has sent only part of a request', async () => {
  const { server, port } = await serve();
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write('POST /callbacks/edgegap/ready/a.b HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
  await until(() => socket.bytesWritten > 0);
  await fetch(`http://127.0.0.1:${port}/healthz`);
  await server.close();
  await closed;
});

test('the server keeps an idle connection open longer than a proxy does', async () => {
  const { port, server } = await serve({ requestTimeoutMs: 400, clock: new TestClock() });
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  onTestFinished(() => void socket.destroy());
  let closed = false;
  socket.once('close', () => {
    closed = true;
  });
  let answers = '';
  socket.on('data', (text) => {
    answers += text;
  });
  const ask = async () => {
    answers = '';
    socket.write('POST /callbacks/edgegap/ready/a.b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}');
    await until(() => answers.startsWith('HTTP/1.1 200'), 'an answer');
    return Number(/^keep-alive: timeout=(\d+)/im.exec(answers)?.[1]);
  };
  // Google's load balancers keep idle connections for ten minutes.
  expect(await ask()).toBeGreaterThan(600);
  // The server closes the second connection because its request is late. By then, the server has also checked the first
  // connection.
  const late = connect(port, '127.0.0.1').resume();
  await new Promise((resolve) => late.once('close', resolve).write('POST / HTTP/1.1\r\n'));
  expect(await ask()).toBeGreaterThan(600);
  // The clock stands still, so only idleness can be the reason to close the connection.
  await server.close();
  await until(() => closed, 'its end');
});

test.each([
  ['in its head', 'POST /callbacks/edgegap/ready/a.b HTTP/1.1\r\nhost: x\r\n'],
  ['in its body', 'POST /callbacks/edgegap/ready/a.b HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'],
  [
    'in a body for a platform’s listener',
    'POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{',
  ],
])('if a request stops halfway %s, its connection is closed', async (_, half) => {
  const listener = () => undefined;
  const { port } = await serve({ requestTimeoutMs: 100, mounts: [{ path: '/slack/events', listener }] });
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  // Without reading the socket, the test would not notice the end of the connection.
  socket.resume();
  socket.write(half);
  await closed;
});

test('a callback with a wrong secret is refused before its body arrives', async () => {
  const stored: string[] = [];
  const { port } = await serve({
    callbacks: {
      isOurs: async (id, secret) => id === 'a' && secret === 'b.c',
      receive: async (_event, _id, body) => void stored.push(body),
    },
  });
  const head = (token: string, length: number) =>
    `POST /callbacks/edgegap/ready/${token} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n{`;
  const ask = async (request: string) => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    onTestFinished(() => void socket.destroy());
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    socket.write(request);
    await until(() => answer !== '', 'an answer');
    return answer.slice(0, 12);
  };
  for (const token of ['a.wrong', 'b.b.c', 'a', 'a.b'])
    expect(await ask(head(token, 200_000)), token).toBe('HTTP/1.1 404');
  expect(stored).toEqual([]);
  expect(await ask(`${head('a.b.c', 2)}}`)).toBe('HTTP/1.1 200');
  expect(stored).toEqual(['{}']);
});

test('callbacks with a wrong secret write at most one log line a minute, which gives the number of callbacks', async () => {
  const clock = new TestClock();
  const lines: { msg: string; refused: number }[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const callbacks = { isOurs: async () => false, receive: async () => undefined };
  const { url } = await serve({ clock, log, callbacks });
  const refuse = async (times: number) => {
    for (let time = 0; time < times; time++)
      expect((await fetch(`${url}/callbacks/edgegap/ready/a.b`, { method: 'POST' })).status).toBe(404);
  };
  await refuse(5);
  expect(lines).toMatchObject([{ refused: 1 }]);
  await clock.advance(59_999);
  await refuse(2);
  expect(lines).toHaveLength(1);
  await clock.advance(1);
  await refuse(3);
  expect(lines).toMatchObject([{ refused: 1 }, { refused: 7 }]);
  expect(new Set(lines.map(({ msg }) => msg)).size).toBe(1);
});
