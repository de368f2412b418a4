import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CardFile } from '../chat/card.ts';

/** Keeps files in a folder of the system's temporary one, made when the first file comes. They are left there to be read. */
export function temporaryFiles(): (file: CardFile) => Promise<string> {
  let folder: Promise<string> | undefined;
  return async ({ name, bytes }) => {
    folder ??= mkdtemp(join(tmpdir(), 'edgegap-chatops-'));
    // The name comes from elsewhere: it must stay a name.
    const path = join(await folder, name.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '_'));
    await writeFile(path, bytes);
    return path;
  };
}
