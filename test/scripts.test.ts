import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Runs an npm script as a separate process. */
async function run(script: string, ...words: string[]) {
  const { VITEST: _, ...env } = process.env;
  return await promisify(execFile)(process.execPath, [script, ...words], { cwd: root, env });
}

test('npm run bench can list the benches and refuses a bench that does not exist', async () => {
  const { stdout } = await run('bench/support/run.ts');
  for (const name of [
    'callbacks',
    'chart',
    'deploy-burst',
    'fan-in',
    'ack',
    'footprint',
    'list',
    'store-growth',
  ])
    expect(stdout).toContain(`\n${name}: `);
  await expect(run('bench/support/run.ts', 'nope')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^There is no bench nope\. There are: ack, callbacks, .*\n\nUsage: npm run bench/,
    ),
  });
});

test.each([
  ['bench', 'bench/support/run.ts'],
  ['chaos', 'test/chaos/run.ts'],
  ['doctor', 'src/doctor/doctor-cli.ts'],
  ['outbox', 'src/notify/outbox-cli.ts'],
  ['register', 'src/adapters/discord/register-cli.ts'],
  ['setup', 'src/setup/setup-cli.ts'],
  ['slack:manifest', 'src/adapters/slack/manifest-cli.ts'],
])('npm run %s with --help shows the usage', { timeout: 60_000 }, async (name, script) => {
  const { stdout, stderr } = await run(script, '--help');
  expect(stdout).toContain(`Usage: npm run ${name}`);
  expect(stderr).toBe('');
});
