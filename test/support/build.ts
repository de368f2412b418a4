import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/**
 * Builds the JavaScript in the same way as for the image, in the folder `dist/NAME`. Resolves with the path of this
 * folder.
 */
export async function build(name: string): Promise<string> {
  const folder = join(ROOT, 'dist', name);
  const words = ['--project', 'tsconfig.build.json', '--outDir', folder];
  await promisify(execFile)(process.execPath, [TSC, ...words], { cwd: ROOT });
  return folder;
}
