import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/**
 * A server that speaks PostgreSQL's protocol on a Unix socket and refuses every client. Resolves with a list, which
 * gets the first message of each client.
 */
async function closedServer(path: string): Promise<string[]> {
  const heard: string[] = [];
  const server = createServer((client: Socket) => {
    client.on('error', () => undefined);
    client.once('data', (startup) => {
      heard.push(startup.toString('latin1'));
      const body = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed\0\0');
      const head = Buffer.from([0x45, 0, 0, 0, body.length + 4]);
      client.end(Buffer.concat([head, body]));
    });
  }).listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return heard;
}

async function whyNot(url: string): Promise<unknown> {
  const { database } = readConfig({ DATABASE_URL: url });
  return await openStore(dialectFor(database, pino({ level: 'silent' }))).catch((error: unknown) => error);
}

test.each([
  ['on this machine', 'postgres:///bot?user=ada&password=hunter2&host=', '5432'],
  ['as in Cloud SQL', 'postgres://ada:hunter2@/bot?sslmode=require&host=', '5432'],
  ['for a different port', 'postgres://ada:hunter2@/bot?port=6543&host=', '6543'],
])(
  'PostgreSQL can be reached by a Unix socket %s, and errors do not show the password',
  async (_, url, port) => {
    const path = folder();
    const heard = await closedServer(join(path, `.s.PGSQL.${port}`));
    const error = await whyNot(url + path);
    expect(error).toMatchObject({ userMessage: `The database bot on ${path} does not let the user ada in.` });
    expect(heard[0]).toMatch(/user\0ada\0database\0bot\0/);
    expect(String(error)).not.toContain('hunter2');
  },
);

test('if the Unix socket of PostgreSQL is missing, the error names the socket', async () => {
  const path = folder();
  expect(await whyNot(`postgres://ada:hunter2@/bot?host=${path}`)).toMatchObject({
    userMessage: `The database bot on ${path} cannot be reached: nothing listens there.`,
    hint: 'Start the server, or correct DATABASE_URL.',
  });
});
