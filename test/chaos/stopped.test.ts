import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/test-clock.ts';

const RUN = join(import.meta.dirname, 'run.ts');
/** Long enough for a busy machine. The limit matters only if a test fails. */
const PATIENCE_MS = 120_000;

test.each([
  ['while the database is being created', '*/chatops-postgres-*/data'],
  ['while the database is running', '*/chatops-postgres-*/data/postmaster.pid'],
  ['while the bots are running', '*/chatops-chaos-*/bot-0.log'],
])(
  'if Ctrl-C is pressed twice %s, the chaos run leaves no files or processes behind',
  { timeout: 2 * PATIENCE_MS },
  async (_, sign) => {
    const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
    chmodSync(folder, 0o755);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { VITEST: __, ...env } = process.env;
    // The run is in a separate process group, because a terminal sends Ctrl-C to the whole group.
    const child = spawn(
      process.execPath,
      [RUN, '--database', 'postgres', '--replicas', '1', '--kills', '1'],
      {
        env: { ...env, TMPDIR: folder },
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const errors: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    const ended = once(child, 'close');
    const press = () => process.kill(-(child.pid ?? Number.NaN), 'SIGINT');
    onTestFinished(() => void child.kill('SIGKILL'));
    await until(() => globSync(sign, { cwd: folder }).length > 0, sign, PATIENCE_MS);
    press();
    press();
    expect([await ended, errors.join('')]).toEqual([[130, null], 'stopped\n']);
    expect(readdirSync(folder)).toEqual([]);
    await until(() => isGone(child.pid ?? Number.NaN), 'no process is left');
  },
);

/** Whether all processes of the group have ended. */
function isGone(group: number): boolean {
  try {
    process.kill(-group, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
