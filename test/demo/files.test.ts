import { readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { textFile } from '../../src/chat/card.ts';
import { temporaryFiles } from '../../src/demo/files.ts';

test('the demo saves files in a private temporary folder, regardless of their names', async () => {
  const save = temporaryFiles();
  const paths = [
    await save(textFile('a.log', 'é')),
    await save(textFile('../../etc/passwd', 'x')),
    await save(textFile('..', 'y')),
  ];
  const folder = dirname(paths[0] ?? '');
  expect(folder.startsWith(tmpdir())).toBe(true);
  expect(paths.map((path) => dirname(path))).toEqual([folder, folder, folder]);
  expect(await readFile(paths[0] ?? '', 'utf8')).toBe('é');
  // The folder must be private, because logs can contain private text.
  expect((await stat(folder)).mode & 0o077).toBe(0);
  await rm(folder, { recursive: true });
});
