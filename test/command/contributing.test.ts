import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const GUIDE = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');

/** The files that the guide shows, by path. */
const files = new Map(
  [...GUIDE.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, path = '', text = '']) => [path, text]),
);

test('CONTRIBUTING.md contains the code of an example command and the code of its test', () => {
  expect([...files.keys()]).toEqual(['commands/uptime.ts', 'test/commands/uptime.test.ts']);
});

// The files are written as the guide shows them, except for the path of the project and the folder of the commands.
const folder = mkdtempSync(join(import.meta.dirname, '.contributing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
cpSync(join(ROOT, 'commands'), join(folder, 'commands'), { recursive: true });
for (const [path, text] of files) write(path, text);
for (const name of readdirSync(join(folder, 'commands')))
  write(`commands/${name}`, readFileSync(join(folder, 'commands', name), 'utf8'));

function write(path: string, text: string): void {
  const project = pathToFileURL(ROOT).href;
  const here = text
    .replaceAll("'../src/", `'${project}/src/`)
    .replaceAll("'../command/", `'${join(ROOT, 'test/command')}/`)
    .replace(
      "stageOn('console')",
      `stageOn('console', { commands: ${JSON.stringify(join(folder, 'commands'))} })`,
    );
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), here);
}

describe('the example command and its test in the guide', async () => {
  // Importing a test file of the guide registers its tests here.
  for (const path of files.keys()) if (path.endsWith('.test.ts')) await import(join(folder, path));
});
