import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { createDiscordDriver } from '../support/discord-driver.ts';
import { BOT_TOKEN, ids } from '../support/discord-world.ts';
import { BotProcess } from './bot-process.ts';

const SETUP = join(import.meta.dirname, '../../src/setup/setup-cli.ts');

interface Run {
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The id of the user who runs the process. */
  readonly uid?: number;
  /** The maximum number of bytes that the process can write into a file. */
  readonly room?: number;
}

/** Runs the setup in this folder like a script does, without a terminal. */
async function setup(folder: string, { words = [], environment = {}, uid, room }: Run = {}) {
  const command = [process.execPath, SETUP, ...words];
  // `ulimit` in `sh` counts in blocks of 512 bytes.
  const limited =
    room === undefined ? command : ['sh', '-c', `ulimit -f ${room / 512}; exec "$0" "$@"`, ...command];
  const child = spawn(limited[0] ?? '', limited.slice(1), {
    cwd: folder,
    env: { ...bareEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

async function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-setup-'));
  const simulator = await startSimulator({ clock: systemClock });
  const discord = await createDiscordDriver();
  onTestFinished(async () => {
    await Promise.all([simulator.close(), discord.close()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const answers = { PLATFORM: 'discord', EDGEGAP_API_TOKEN: simulator.token, DISCORD_TOKEN: BOT_TOKEN };
  const lines = Object.entries(answers).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, 'answers'), lines.join(''));
  chmodSync(folder, 0o755);
  const environment = { EDGEGAP_API_URL: simulator.url, DISCORD_API_URL: discord.server.apiUrl };
  return { folder, environment, discord, envFile: join(folder, '.env') };
}

test('a script sets up the bot from an empty folder, and the bot starts with the written file', async () => {
  const { folder, environment, envFile, discord } = await stage();
  const { out, err, code } = await setup(folder, { words: ['--answers', 'answers'], environment });
  expect(err).toBe('');
  expect(out).toContain('The settings are in .env');
  expect(code).toBe(0);
  expect(statSync(envFile).mode & 0o777).toBe(0o600);
  const values = Object.fromEntries(
    readFileSync(envFile, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('=', 2)),
  );
  expect(values.DISCORD_GUILDS).toBe(ids.guild);
  const bot = new BotProcess({ ...environment, ...values, DATABASE_URL: join(folder, 'bot.db'), PORT: '0' });
  onTestFinished(async () => void (await bot.kill('SIGKILL')));
  await bot.started();
  expect(discord.server.gateway.connected).toBe(true);
});

test('without a terminal and without an answers file, the setup ends at once', async () => {
  const { folder } = await stage();
  const { out, code } = await setup(folder);
  expect(out).toContain('There is no terminal to ask questions at.');
  expect(code).toBe(1);
});

test.skipIf(process.getuid?.() !== 0)(
  'if another user owns the folder, the setup names the folder and creates no file',
  async () => {
    const { folder, environment, envFile } = await stage();
    const { out, code } = await setup(folder, { words: ['--answers', 'answers'], environment, uid: 65534 });
    expect(out).toContain('.env cannot be written (EACCES).');
    expect(code).toBe(1);
    expect(existsSync(envFile)).toBe(false);
  },
);

test('if the disk has room for only part of the settings, the setup says so, and the file stays unchanged', async () => {
  const { folder, environment, envFile } = await stage();
  const before = `LOG_LEVEL=debug\n${`# ${'my notes '.repeat(10)}\n`.repeat(50)}`;
  writeFileSync(envFile, before);
  const { out, code } = await setup(folder, {
    words: ['--answers', 'answers'],
    environment: { ...environment, NODE_DISABLE_COMPILE_CACHE: '1' },
    room: 4096,
  });
  expect(out).toContain('.env cannot be written (EFBIG).');
  expect(code).toBe(1);
  expect(readFileSync(envFile, 'utf8')).toBe(before);
  expect(readdirSync(folder).toSorted()).toEqual(['.env', 'answers']);
});

test.each([
  [['--help'], 0],
  [['everything'], 2],
])('if called with %j, the setup shows the usage and exits with %d', async (words, expected) => {
  const { folder } = await stage();
  const { out, err, code } = await setup(folder, { words });
  expect(out + err).toContain('Usage: npm run setup');
  expect(code).toBe(expected);
});
