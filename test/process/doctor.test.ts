import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { createDiscordDriver } from '../support/discord-driver.ts';
import { until } from '../support/test-clock.ts';
import { BotProcess } from './bot-process.ts';

const DOCTOR = join(import.meta.dirname, '../../src/doctor/doctor-cli.ts');

interface Run {
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The id of the user who runs the process. */
  readonly uid?: number;
}

/** Runs the doctor in this folder, in the same way as `npm run doctor`. */
async function doctor(folder: string, { words = [], environment = {}, uid }: Run = {}) {
  const child = spawn(process.execPath, [DOCTOR, ...words], {
    cwd: folder,
    env: { ...bareEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A port on which no program listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function settings(folder: string): Promise<Record<string, string>> {
  const simulator = await startSimulator({ clock: systemClock });
  onTestFinished(() => simulator.close());
  const driver = await createDiscordDriver();
  onTestFinished(() => driver.close());
  const port = await freePort();
  return {
    ...driver.environment,
    EDGEGAP_API_TOKEN: simulator.token,
    EDGEGAP_API_URL: simulator.url,
    DATABASE_URL: join(folder, 'bot.db'),
    HOST: '127.0.0.1',
    PORT: `${port}`,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  };
}

function envFile(values: Readonly<Record<string, string>>, eol = '\n'): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}${eol}`)
    .join('');
}

test('the doctor recognises a running bot with the same settings, and recognises its own server at PUBLIC_URL if no bot runs', async () => {
  const folder = ownFolder();
  const values = await settings(folder);
  writeFileSync(join(folder, '.env'), envFile(values), { mode: 0o600 });
  const before = await doctor(folder);
  expect(before.err).toBe('');
  expect(before.out).toContain(`ok       address.port: The port ${values.PORT} is free for the bot.`);
  expect(before.out).toContain('address.public: PUBLIC_URL leads to this bot');
  expect(before.out).toMatch(
    /^warning {2}discord\.commands: In Studio, these commands are not registered yet/m,
  );
  expect(before.code).toBe(1);

  const bot = new BotProcess(values);
  onTestFinished(async () => void (await bot.kill('SIGKILL')));
  await bot.started();
  // The bot itself logs the worst findings at its start.
  await until(
    () => /"check":"address\.public".*"msg":"doctor: something is not/.test(bot.output),
    'the warning',
  );
  const during = await doctor(folder, { words: ['--json'] });
  const { state, findings } = JSON.parse(during.out) as {
    state: string;
    findings: { check: string; says: string }[];
  };
  const says = (check: string) => findings.find((one) => one.check === check)?.says;
  expect(says('address.port')).toBe(`The bot runs and listens on port ${values.PORT}.`);
  expect(says('address.public')).toContain('PUBLIC_URL leads to this bot');
  expect(says('store')).toMatch(/is open in the running bot\.$/);
  expect(state).toBe('warning');
  expect(during.code).toBe(1);
  // A doctor with different settings does not recognise the running bot.
  const other = await doctor(folder, { environment: { EDGEGAP_API_TOKEN: 'another-token' } });
  expect(other.out).toMatch(/^wrong {4}address\.port: A bot with other settings listens/m);
  expect(other.out).toMatch(/^wrong {4}address\.public: PUBLIC_URL leads to a bot with other settings/m);
  expect(other.code).toBe(2);
});

test('the doctor reads settings from a file with a byte order mark and Windows line ends', async () => {
  const folder = ownFolder();
  const values = await settings(folder);
  writeFileSync(join(folder, '.env'), `\uFEFF${envFile(values, '\r\n')}`, { mode: 0o600 });
  const { out, code } = await doctor(folder);
  expect(out).toMatch(
    /^warning {2}settings\.file: \.env begins with a byte order mark\. The bot reads DISCORD_TOKEN nevertheless/m,
  );
  expect(out).toContain('settings.file: .env has Windows line ends.');
  expect(out).toContain('discord.token: DISCORD_TOKEN is the token of the bot edgegap');
  expect(out).not.toContain(values.DISCORD_TOKEN);
  expect(code).toBe(1);
});

test.skipIf(process.getuid?.() !== 0)(
  'if another user owns the folder, the doctor says that the folder is not writable',
  async () => {
    const folder = ownFolder();
    const values = await settings(folder);
    chmodSync(folder, 0o755);
    const { out, code } = await doctor(folder, { environment: values, uid: 65534 });
    expect(out).toMatch(/^wrong {4}store\.folder: The folder of .*bot\.db cannot be written \(EACCES\)\. →/m);
    expect(code).toBe(2);
  },
);

test.each([
  [['--help'], 0],
  [['--jsn'], 2],
  [['now'], 2],
])('if called with %j, the doctor shows the usage and exits with %d', async (words, expected) => {
  const { out, err, code } = await doctor(ownFolder(), { words });
  expect(out + err).toContain('Usage: npm run doctor');
  expect(code).toBe(expected);
});
