import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { bareEnvironment } from './support/bare-environment.ts';

const ROOT = join(import.meta.dirname, '..');

/** Complete settings in which no address leads to a server. */
const SETTINGS = {
  EDGEGAP_API_TOKEN: 'edgegap-token',
  EDGEGAP_API_URL: 'http://127.0.0.1:1',
  DISCORD_TOKEN: 'discord-token',
  DISCORD_GUILDS: '200000000000000001',
  DISCORD_API_URL: 'http://127.0.0.1:1',
  LOG_LEVEL: 'silent',
};

/** Starts the program as a person does, with the Node.js of the tests and only these settings. */
async function main(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    cwd: ROOT,
    env: { ...bareEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

test('without any setting, --check still builds every part of the bot and succeeds', async () => {
  const { out, err, code } = await main(['--check']);
  expect(err).toBe('');
  expect(out).toMatch(/^OK: \d+ commands/);
  expect(out).toContain('No chat token is set, so npm start would refuse.');
  expect(code).toBe(0);
});

test.each([
  ['--help', 0],
  ['--chek', 2],
  ['check', 2],
])('with the argument %s, the bot does not start and shows the usage', async (word, expected) => {
  const { out, err, code } = await main([word], SETTINGS);
  expect(out + err).toContain('Usage: node src/main.ts [--check]');
  expect(code).toBe(expected);
});

test('--check names each wrong setting on its own line and repeats no secret', async () => {
  const { err, code } = await main(['--check'], { DISCORD_TOKEN: 'secret-token', PORT: 'x' });
  expect(code).toBe(1);
  expect(err).toMatch(/cannot start:\n/);
  expect(err).toMatch(/^ {2}- PORT must be/m);
  expect(err).toContain('.env.example');
  expect(err).not.toContain('secret-token');
  expect(err).not.toMatch(/\bat \S+ \(/);
});

test('without a chat token the bot does not start, and the error names the demo and the docs', async () => {
  const { err, code } = await main([]);
  expect(code).toBe(1);
  expect(err).toContain('No chat token is set');
  expect(err).toContain('DISCORD_TOKEN');
  expect(err).toContain('SLACK_BOT_TOKEN');
  expect(err).toContain('npm run demo');
  expect(err).toMatch(/docs\/\S*discord\S*\.md/);
  expect(err).toMatch(/docs\/\S*slack\S*\.md/);
  expect(err).toMatch(/^ {2}- EDGEGAP_API_TOKEN is missing/m);
});

test('without a chat token, the error also names the other wrong settings', async () => {
  const { err } = await main([], { PORT: 'x', EDGEGAP_API_TOKEN: 'edgegap-token' });
  expect(err).toMatch(/^ {2}- No chat token is set/m);
  expect(err).toMatch(/^ {2}- PORT must be/m);
  expect(err).not.toContain('EDGEGAP_API_TOKEN');
});

test.each([
  ['a folder', tmpdir(), /- DATABASE_URL is a folder: name a file in it/],
  [
    'a certificate that does not exist',
    'postgres://u:hunter2@127.0.0.1:1/bot?sslrootcert=/nope&sslmode=verify-full',
    /The database bot on 127\.0\.0\.1:1 .*: \/nope of sslrootcert cannot be read \(ENOENT\)/,
  ],
])('--check reports a database that cannot be opened: %s', async (_, database, words) => {
  const { err, code } = await main(['--check'], { DATABASE_URL: database });
  expect(err).toMatch(words);
  expect(err).not.toContain('hunter2');
  expect(code).toBe(1);
});

test.each(['require', 'verify-full&sslrootcert=/nope'])(
  'if PostgreSQL cannot be reached with sslmode=%s, the start fails with that problem alone',
  async (tls) => {
    const database = `postgres://u:hunter2@127.0.0.1:1/bot?sslmode=${tls}`;
    const { err, code } = await main([], { ...SETTINGS, DATABASE_URL: database });
    expect(err).toMatch(/^edgegap-chatops cannot start: The database bot on 127\.0\.0\.1:1 .*\n.*\n$/);
    expect(err).toContain(
      tls === 'require' ? 'nothing listens there' : '/nope of sslrootcert cannot be read',
    );
    // The bot does not try again. The process ends.
    expect(err).not.toContain('by myself');
    expect(code).toBe(1);
  },
);

test('a start that fails closes the database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const other = createServer().listen(0);
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { err, code } = await main([], {
    ...SETTINGS,
    DATABASE_URL: join(folder, 'bot.db'),
    PORT: String((other.address() as AddressInfo).port),
  });
  expect(err).toMatch(/^edgegap-chatops cannot start: Port \d+ cannot be used/);
  expect(code).toBe(1);
  // There is no write-ahead log. A write-ahead log belongs to an open database.
  expect(readdirSync(folder)).toEqual(['bot.db']);
});

test('a bot that is stopped while waiting for the database exits with 0', async () => {
  // A server that accepts connections but never answers.
  const database = createServer().listen(0, '127.0.0.1');
  await once(database, 'listening');
  const { port } = database.address() as AddressInfo;
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: ROOT,
    env: {
      ...bareEnvironment,
      ...SETTINGS,
      LOG_LEVEL: 'info',
      DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/bot`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    database.close();
  });
  const exit = once(child, 'exit');
  const said = text(child.stderr);
  const [connection] = (await once(database, 'connection')) as [Socket];
  const line = once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [first] = await Promise.race([line, exit]);
  expect(String(first)).toContain('"msg":"stopping"');
  database.on('connection', (another: Socket) => another.destroy());
  connection.destroy();
  expect(await exit).toEqual([0, null]);
  expect(await said).toBe('');
});
