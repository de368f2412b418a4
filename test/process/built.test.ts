import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bareEnvironment } from '../support/bare-environment.ts';
import { build } from '../support/build.ts';

let built: string;
beforeAll(async () => {
  built = await build('test');
});
afterAll(() => rm(built, { recursive: true, force: true }));

/** Runs Node with these arguments in the folder of the built code. */
async function run(words: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const options = { cwd: built, env: { ...bareEnvironment, ...environment } };
  return (await promisify(execFile)(process.execPath, words, options)).stdout;
}

const CHECK = ['src/main.js', '--check'] as const;

test('the built bot has the same commands as the sources', async () => {
  const sources = await run([join(import.meta.dirname, '../../src/main.ts'), '--check']);
  expect(sources).toMatch(/^OK: \d+ commands/);
  expect(await run(CHECK)).toBe(sources);
});

test('the built bot starts even if the folder for compiled code cannot be created', async () => {
  // The parent of this folder is a file, so the folder cannot be created.
  const NODE_COMPILE_CACHE = join(built, CHECK[0], 'cache');
  expect(await run(CHECK, { NODE_COMPILE_CACHE })).toContain('OK: ');
});

test('the built bot draws charts in its built worker thread', async () => {
  const file = join(built, 'draw.js');
  await writeFile(
    file,
    `
    import { createCharts } from './src/chart/charts.js';
    import { systemClock as clock } from './src/clock.js';
    import { createLog } from './src/log.js';
    const charts = createCharts({ clock, log: createLog({ level: 'silent', secrets: [] }) });
    const panel = { title: 'CPU', unit: 'vCPU', series: [{ label: 'used', points: [[0, 1], [60_000, 2]] }] };
    const png = await charts.draw({ from: 0, to: 60_000, gaps: [], panels: [panel] });
    console.log(Buffer.from(png).subarray(1, 4).toString());
    await charts.stop();`,
  );
  expect(await run([file])).toBe('PNG\n');
});
