import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

let scratch: string;

/** A project with the real scripts, settings and libraries. The only test file is the file of the test case. */
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'chatops-red-'));
  for (const path of ['package.json', 'vitest.config.ts', '.ci'])
    await cp(join(ROOT, path), join(scratch, path), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(scratch, 'node_modules'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Runs a command in the project with this test file. Resolves with the exit code and the output. */
async function runOn(name: string, source: string, command: string, ...args: string[]) {
  await rm(join(scratch, 'test'), { recursive: true, force: true });
  await mkdir(join(scratch, 'test'));
  await writeFile(join(scratch, `test/${name}.test.ts`), source);
  const { VITEST: _, TALLY: __, ...env } = process.env;
  return await new Promise<{ code: number | string; output: string }>((resolve) => {
    execFile(command, args, { cwd: scratch, env: { ...env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

const broken = {
  'a test that fails': "import { expect, test } from 'vitest';\ntest('adds', () => expect(1).toBe(2));",
  'a file that throws while it loads':
    "import { test } from 'vitest';\ntest('waits', () => undefined);\nthrow new Error('not loaded');",
  'a beforeAll hook that throws':
    "import { beforeAll, test } from 'vitest';\nbeforeAll(() => { throw new Error('no'); });\ntest('waits', () => undefined);",
  'an afterAll hook that throws':
    "import { afterAll, test } from 'vitest';\nafterAll(() => { throw new Error('no'); });\ntest('passes', () => undefined);",
  'a worker that crashes': "import { test } from 'vitest';\ntest('ends the process', () => process.abort());",
  'a rejected promise without a handler':
    "import { test } from 'vitest';\ntest('passes', () => void Promise.reject(new Error('no')));",
};

for (const [what, source] of Object.entries(broken)) {
  test(`npm test exits with 1 and names the test file if the file has ${what}`, async () => {
    const { code, output } = await runOn('broken', source, 'npm', 'test');
    expect(code).toBe(1);
    expect(output).toContain('test/broken.test.ts');
  });

  test(`.ci/run exits with 1, counts one failure and names the test file if the file has ${what}`, async () => {
    const { code, output } = await runOn('broken', source, 'bash', '.ci/run', 'test');
    expect(code).toBe(1);
    expect(output).toMatch(/^FAILED test\/broken\.test\.ts/m);
    expect(output.trimEnd().split('\n').at(-1)).toMatch(/^[01] passed, 1 failed$/);
  });
}

test('if all tests pass, npm test and .ci/run exit with 0', async () => {
  const source = "import { expect, test } from 'vitest';\ntest('adds', () => expect(1).toBe(1));";
  expect(await runOn('healthy', source, 'npm', 'test')).toMatchObject({ code: 0 });
  const { code, output } = await runOn('healthy', source, 'bash', '.ci/run', 'test');
  expect(code).toBe(0);
  expect(output.trimEnd().split('\n').at(-1)).toBe('1 passed, 0 failed');
});

test('if a test.only skips other tests, .ci/run exits with 1 and names the test file', async () => {
  const source =
    "import { test } from 'vitest';\ntest.only('passes', () => undefined);\ntest('waits', () => undefined);";
  const { code, output } = await runOn('only', source, 'bash', '.ci/run', 'test');
  expect(code).toBe(1);
  expect(output).toMatch(/^FAILED test\/only\.test\.ts/m);
});

test('if a step is unknown, .ci/run runs no step and lists the available steps', async () => {
  const { code, output } = await runOn('none', '', 'bash', '.ci/run', 'test', 'tpyo');
  expect(code).toBe(2);
  expect(output).toMatch(/^There is no step tpyo\. There are: install, test, /);
});

test('if no test ran, .ci/run exits with 1', async () => {
  const { code, output } = await runOn('empty', '', 'bash', '.ci/run', 'test');
  expect(code).toBe(1);
  expect(output.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
});

test('starting PostgreSQL does not change the exit code that a process has set', async () => {
  const url = join(ROOT, 'test/support/postgres-server.ts');
  const script = `
    const { startPostgres } = await import(${JSON.stringify(url)});
    const server = await startPostgres({ durable: false });
    await server.stop();
    process.exitCode = 3;`;
  const ended = await runOn('none', '', process.execPath, '--input-type=module', '--eval', script);
  expect(ended).toEqual({ code: 3, output: '' });
});
