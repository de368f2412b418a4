import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '..', '..');

/** A copy of `commands/` with additional files, each written like a real command. */
export function commandFolder(name: string, more: Readonly<Record<string, string>>) {
  const path = mkdtempSync(join(import.meta.dirname, `.${name}-`));
  cpSync(join(ROOT, 'commands'), path, { recursive: true });
  for (const [command, source] of Object.entries(more)) writeFileSync(join(path, `${command}.ts`), source);
  // The copies differ from the files in commands/ only in the path to src.
  for (const file of readdirSync(path)) {
    const source = readFileSync(join(path, file), 'utf8');
    writeFileSync(join(path, file), source.replaceAll("'../src/", `'${pathToFileURL(ROOT).href}/src/`));
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
