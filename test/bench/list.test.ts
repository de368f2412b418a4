import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('npm run bench says which there are, outside of the tests they share their servers with', async () => {
  const { VITEST: _, ...env } = process.env;
  const root = join(import.meta.dirname, '../..');
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/support/run.ts'], {
    cwd: root,
    env,
  });
  for (const name of ['callbacks', 'deploy-burst', 'fan-in', 'first-answer', 'store-growth'])
    expect(stdout).toContain(`\n${name}: `);
});
