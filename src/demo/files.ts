import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CardFile } from '../chat/card.ts';

/**
 * Writes files into a new folder in the system's temporary folder. The folder is created for the first file. The files
 * remain after the demo, so that the user can read them.
 */
export function temporaryFiles(): (file: CardFile) => Promise<string> {
  let folder: Promise<string> | undefined;
  return async ({ name, bytes }) => {
    folder ??= mkdtemp(join(tmpdir(), 'edgegap-chatops-'));
    // The name comes from outside, so it must not be used as a path unchanged.
    const path = join(await folder, name.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '_'));
    await writeFile(path, bytes);
    return path;
  };
}
