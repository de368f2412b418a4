import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { bareEnvironment, bareFolder } from '../support/bare-environment.ts';
import { createDiscordDriver } from '../support/discord-driver.ts';
import { until } from '../support/test-clock.ts';
import { MAIN, START_MS } from './bot-process.ts';

vi.setConfig({ testTimeout: 2 * START_MS });

/**
 * Before the bot opens the port, a different program could take it. This is unlikely, because no other program here
 * chooses a port by number.
 */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('the bot keeps working if no process reads its log, and writes log lines again when a reader is back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  const driver = await createDiscordDriver();
  const simulator = await startSimulator({ clock: systemClock });
  onTestFinished(async () => {
    await driver.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const log = join(folder, 'log');
  // Node has no function that creates a named pipe.
  execFileSync('/usr/bin/env', ['mkfifo', log]);
  const listen = () => openSync(log, constants.O_RDONLY | constants.O_NONBLOCK);
  const gone = listen();
  const output = openSync(log, 'w');
  const port = await freePort();
  const bot = spawn(process.execPath, [MAIN], {
    cwd: bareFolder,
    env: {
      ...bareEnvironment,
      EDGEGAP_API_TOKEN: simulator.token,
      EDGEGAP_API_URL: simulator.url,
      ...driver.environment,
      DATABASE_URL: ':memory:',
      PORT: String(port),
    },
    stdio: ['ignore', output, 'inherit'],
  });
  onTestFinished(() => void bot.kill('SIGKILL'));
  const exit = once(bot, 'exit');
  closeSync(output);
  closeSync(gone);

  // The bot writes a log line before it answers, and this write fails with EPIPE.
  const url = `http://127.0.0.1:${port}/callbacks/edgegap/ready/a.b`;
  const refused = () => fetch(url, { method: 'POST' }).catch(() => undefined);
  expect((await until(refused, 'an answer', START_MS)).status).toBe(404);
  await driver.ready({ url: '' });

  const reader = listen();
  bot.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  expect(readFileSync(reader, 'utf8')).toContain('"msg":"stopped"');
  closeSync(reader);
});
