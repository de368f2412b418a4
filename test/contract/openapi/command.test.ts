import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { small } from './small-api.ts';

function run(...files: string[]): Promise<{ code: number; out: string; err: string }> {
  const script = fileURLToPath(new URL('run.ts', import.meta.url));
  return new Promise((done) => {
    execFile(process.execPath, [script, ...files], (error, out, err) => {
      done({ code: Number(error?.code ?? 0), out, err });
    });
  });
}

test('npm run contract exits with 2 for wrong usage, and with 1 if it finds a difference', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'contract-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const declared = await file('small.yaml', JSON.stringify(small));
  const none = join(folder, 'none.yaml');
  const results = await Promise.all([
    run(),
    run(declared, none),
    run(declared, await file('other.yaml', 'swagger: "2.0"')),
    run(declared, await file('broken.yaml', 'a: [')),
    run(declared, declared),
  ]);
  expect(results.map(({ code }) => code)).toEqual([2, 2, 2, 2, 1]);
  expect(results[0]?.err).toContain('Usage: npm run contract -- V1.yaml V2.yaml');
  expect(results[1]?.err).toContain(`${none} cannot be read (ENOENT)`);
  expect(results[2]?.err).toContain('no OpenAPI 3.0 file');
  expect(results[3]?.err).toContain('no YAML');
  const last = results[4]?.out.trimEnd().split('\n').at(-1);
  expect(last).toMatch(/^\d+ passed, [1-9]\d* failed$/);
});
