import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { connectionLimit } from '../../src/server/connections.ts';
import { buildServer } from '../../src/server/server.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

const LIMIT = 10;
const PROBE = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
const HALF_A_HEAD = 'POST /slow HTTP/1.1\r\nhost: x\r\n';
const HALF_A_BODY = `${HALF_A_HEAD}content-length: 100\r\n\r\n{`;
const SLOW = `${HALF_A_HEAD}content-length: 2\r\n\r\n{}`;

/** Starts a server. The path `/slow` answers when the test decides. */
async function serve(requestTimeoutMs?: number) {
  const slow: ServerResponse[] = [];
  const lines: { msg: string; closed: number; limit: number }[] = [];
  const server = buildServer({
    callbacks: { isOurs: async () => true, receive: async () => undefined },
    mounts: [{ path: '/slow', listener: (_request, response) => void slow.push(response) }],
    readiness: async () => ({ parts: {} }),
    clock: pacedClock(20),
    log: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    maxConnections: LIMIT,
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  });
  const port = await server.listen(0);
  onTestFinished(() => server.close());
  const open = async (text = '') => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    onTestFinished(() => void socket.destroy());
    const peer = { socket, heard: '', closed: false, ask: (more: string) => ask(socket, more) };
    socket.on('data', (data) => {
      peer.heard += data;
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      peer.closed = true;
    });
    await new Promise<void>((resolve) =>
      socket.once('connect', () => resolve()).once('close', () => resolve()),
    );
    if (text) socket.write(text);
    return peer;
  };
  /** Opens each connection only after the server has read the bytes of the previous connection. */
  const busy = async (text: string) => {
    const before = slow.length;
    const peer = await open(text);
    await until(() => slow.length > before, 'the request to come');
    return peer;
  };
  return { port, slow, lines, open, busy };
}

async function ask(socket: Socket, request: string): Promise<string> {
  const answered = new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(String(data)));
    socket.once('close', () => resolve('closed'));
  });
  socket.write(request);
  return (await answered).split('\r\n')[0] ?? '';
}

const OK = 'HTTP/1.1 200 OK';
const CALLBACK = 'POST /callbacks/edgegap/ready/a.b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}';

test.each([
  ['stay silent', ''],
  ["stop in the middle of a request's head", HALF_A_HEAD],
  ["stop in the middle of a request's body", HALF_A_BODY],
  ['were answered and stay open', PROBE],
])('the bot still answers a health check and a callback if 1,500 connections %s', async (_, text) => {
  const { open, lines } = await serve();
  const crowd: Awaited<ReturnType<typeof open>>[] = [];
  for (let nth = 0; nth < 1_500; nth++) crowd.push(await open(text));
  expect(await (await open()).ask(PROBE)).toBe(OK);
  expect(await (await open()).ask(CALLBACK)).toBe(OK);
  await until(() => crowd.filter(({ closed }) => !closed).length <= LIMIT - 2, 'the others to be closed');
  expect(lines).toMatchObject([
    { msg: 'server: too many connections: some were closed', closed: 1, limit: LIMIT },
  ]);
});

test('at the connection limit, the server closes connections without a request first, and then the longest idle connections', async () => {
  const { open } = await serve();
  const answered: Awaited<ReturnType<typeof open>>[] = [];
  for (let nth = 0; nth < LIMIT - 2; nth++) {
    const peer = await open();
    expect(await peer.ask(PROBE)).toBe(OK);
    answered.push(peer);
  }
  const silent = await open();
  const half = await open(HALF_A_HEAD);
  // After this request, the first connection has been idle for the shortest time.
  expect(await answered[0]?.ask(PROBE)).toBe(OK);
  for (const expected of [silent, half, ...answered.slice(1, 4)]) {
    expect(await (await open()).ask(PROBE)).toBe(OK);
    await until(() => expected.closed, 'the least needed to be closed');
  }
  expect(answered.map(({ closed }) => closed)).toEqual([false, true, true, true, ...Array(4).fill(false)]);
});

test('if every connection has a complete request, the server closes a new connection and interrupts no request', async () => {
  const { open, busy, slow } = await serve();
  const peers: Awaited<ReturnType<typeof open>>[] = [];
  for (let nth = 0; nth < LIMIT; nth++) peers.push(await busy(SLOW));
  for (let nth = 0; nth < 3 * LIMIT; nth++) {
    const refused = await open(PROBE);
    await until(() => refused.closed, 'the new connection to be closed');
  }
  for (const response of slow) response.end();
  await until(() => peers.every(({ heard }) => heard.startsWith(OK)), 'all answers');
  expect(await (await open()).ask(PROBE)).toBe(OK);
});

test('at the connection limit, a connection with an incomplete body is closed before a connection that was answered', async () => {
  const { open, busy } = await serve();
  const answered = await open();
  expect(await answered.ask(PROBE)).toBe(OK);
  const arriving: Awaited<ReturnType<typeof open>>[] = [];
  for (let nth = 1; nth < LIMIT; nth++) arriving.push(await busy(HALF_A_BODY));
  expect(await (await open()).ask(PROBE)).toBe(OK);
  await until(() => arriving[0]?.closed === true, 'the first of them to be closed');
  expect(await answered.ask(PROBE)).toBe(OK);
});

test('a silent connection is closed after the time limit for a request', async () => {
  const { open } = await serve(100);
  const peer = await open();
  await until(() => peer.closed, 'its end');
});

test("the connection limit of the server leaves half of the process's file handles free", () => {
  expect(connectionLimit()).toBeGreaterThan(0);
  expect(connectionLimit()).toBeLessThanOrEqual(1_000);
});
