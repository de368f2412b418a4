import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { bareEnvironment, bareFolder } from './support/bare-environment.ts';

const ROOT = join(import.meta.dirname, '..');

/** Complete settings, in which every address leads nowhere. */
const SETTINGS = {
  EDGEGAP_API_TOKEN: 'edgegap-token',
  EDGEGAP_API_URL: 'http://127.0.0.1:1',
  DISCORD_TOKEN: 'discord-token',
  DISCORD_GUILDS: '200000000000000001',
  DISCORD_API_URL: 'http://127.0.0.1:1',
  LOG_LEVEL: 'silent',
};

/** Starts the program like a person does, with the Node.js of the tests and only these settings. */
function main(args: readonly string[], environment: Record<string, string> = {}, folder = bareFolder) {
  return run(['src/main.ts', ...args], environment, folder);
}

/** Runs a file of the project with these arguments in this folder. */
async function run(
  [file = '', ...words]: readonly string[],
  environment: Record<string, string>,
  cwd: string,
) {
  const child = spawn(process.execPath, [join(ROOT, file), ...words], {
    cwd,
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

/** Creates an empty folder. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test.each(['start', 'check:start', 'register', 'doctor', 'outbox'])(
  'if the file .env does not exist, npm run %s prints no message about the file',
  async (script) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const [program, ...words] = scripts[script]?.split(' ') ?? [];
    expect(program).toBe('node');
    const { out, err } = await run(words, {}, emptyFolder());
    expect(out + err).not.toBe('');
    expect(err).not.toMatch(/\.env\b(?!\.example)/);
  },
);

test('the settings in .env are read even if the file has a byte order mark, quotation marks or Windows line ends', async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, '.env'), '\uFEFFPORT="70000"\r\nKEEP_DAYS=none # a comment\r\n');
  const { err, code } = await main(['--check'], {}, folder);
  expect(err).toMatch(/^ {2}- PORT must be/m);
  expect(err).toMatch(/^ {2}- KEEP_DAYS must be/m);
  expect(code).toBe(1);
});

test.each([
  ['a value', '0'],
  ['an empty value', ''],
])('if a setting has %s in the environment, this overrides the value in .env', async (_, value) => {
  const folder = emptyFolder();
  writeFileSync(join(folder, '.env'), 'PORT=70000\n');
  expect(await main(['--check'], { PORT: value }, folder)).toMatchObject({ err: '', code: 0 });
});

test.each([
  [
    'register',
    ['src/adapters/discord/register-cli.ts'],
    'DISCORD_TOKEN=secret\n',
    /DISCORD_GUILDS is missing/,
  ],
  ['outbox', ['src/notify/outbox-cli.ts'], 'DATABASE_URL=elsewhere/bot.db\n', /no database at .*elsewhere/],
  ['doctor', ['src/doctor/doctor-cli.ts'], 'PORT=70000\n', /^wrong +settings: PORT must be/m],
])('npm run %s reads the settings in .env', async (_, words, content, expected) => {
  const folder = emptyFolder();
  writeFileSync(join(folder, '.env'), content);
  const { out, err } = await run(words, {}, folder);
  expect(out + err).toMatch(expected);
});

test('if .env cannot be read, the bot does not start, and the error gives the reason', async () => {
  const folder = emptyFolder();
  mkdirSync(join(folder, '.env'));
  const { err, code } = await main([], SETTINGS, folder);
  expect(err).toMatch(/^ {2}- \.env cannot be read \(EISDIR\)/m);
  expect(code).toBe(1);
});

test('if .env is in UTF-16, the bot does not start, and the error says how to save the file', async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, '.env'), Buffer.from('\uFEFFPORT=0\n', 'utf16le'));
  const { err, code } = await main([], SETTINGS, folder);
  expect(err).toMatch(/^ {2}- \.env is saved as UTF-16, .* save the file as UTF-8/m);
  expect(code).toBe(1);
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
  'if PostgreSQL is unreachable with sslmode=%s, the start fails and reports only this problem',
  async (tls) => {
    const database = `postgres://u:hunter2@127.0.0.1:1/bot?sslmode=${tls}`;
    const { err, code } = await main([], { ...SETTINGS, DATABASE_URL: database });
    expect(err).toMatch(/^edgegap-chatops cannot start: The database bot on 127\.0\.0\.1:1 .*\n.*\n$/);
    expect(err).toContain(
      tls === 'require' ? 'nothing listens there' : '/nope of sslrootcert cannot be read',
    );
    // The process ends instead of trying again.
    expect(err).not.toContain('by myself');
    expect(code).toBe(1);
  },
);

test('a start that fails closes the database', async () => {
  const folder = emptyFolder();
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
  // SQLite keeps a write-ahead log only while the database is open.
  expect(readdirSync(folder)).toEqual(['bot.db']);
});

test('a bot that is stopped while waiting for the database exits with 0', async () => {
  // A server that accepts connections but never answers.
  const database = createServer().listen(0, '127.0.0.1');
  await once(database, 'listening');
  const { port } = database.address() as AddressInfo;
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts')], {
    cwd: bareFolder,
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
