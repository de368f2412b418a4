import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** The program as it is started: by this Node, with these settings and no others. */
async function main(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

test('--check builds every part from source, without any setting', async () => {
  const { out, err, code } = await main(['--check']);
  expect(err).toBe('');
  expect(out).toMatch(/^OK: \d+ commands/);
  expect(out).toContain('No chat token is set, so npm start would refuse.');
  expect(code).toBe(0);
});

test('--check names what is wrong with the settings, one line each, and repeats no secret', async () => {
  const { err, code } = await main(['--check'], { DISCORD_TOKEN: 'secret-token', PORT: 'x' });
  expect(code).toBe(1);
  expect(err).toMatch(/cannot start:\n/);
  expect(err).toMatch(/^ {2}- PORT must be/m);
  expect(err).toContain('.env.example');
  expect(err).not.toContain('secret-token');
  expect(err).not.toMatch(/\bat \S+ \(/);
});

test('without a chat token it says so, and names the demo and the docs', async () => {
  const { err, code } = await main([]);
  expect(code).toBe(1);
  expect(err).toContain('No chat token is set');
  expect(err).toContain('DISCORD_TOKEN');
  expect(err).toContain('SLACK_BOT_TOKEN');
  expect(err).toContain('npm run demo');
  expect(err).toMatch(/docs\/\S*discord\S*\.md/);
  expect(err).toMatch(/docs\/\S*slack\S*\.md/);
});
