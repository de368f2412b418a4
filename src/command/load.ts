import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createDirectory, type Directory, type Written } from './define.ts';
import { kinds as allKinds } from './kinds/kinds.ts';
import { menuActions } from './on-card.ts';
import type { Kinds } from './options.ts';
import { LIMITS, validateCommand } from './validate.ts';

/**
 * The extension of this file and of every command: `.ts` in the sources, `.js` in the image, which contains the built
 * code.
 */
const EXTENSION = extname(import.meta.filename);

/**
 * Matches the names of JavaScript and TypeScript files. Every such file in the folder of commands must be a command.
 */
const SCRIPT = /\.[cm]?[jt]sx?$/;

/** Loads every command in a folder. Throws if a file does not contain a valid command. */
export async function loadCommands(folder: string, kinds: Kinds = allKinds): Promise<Directory> {
  const files = (await readdir(folder)).filter((file) => SCRIPT.test(file)).toSorted();
  const commands: Written[] = [];
  const names = new Map<string, string>();
  for (const file of files) {
    const name = basename(file, extname(file));
    const twin = names.get(name.toLowerCase());
    if (twin !== undefined) throw new Error(`commands/${file}: ${twin} is the command ${name} already`);
    names.set(name.toLowerCase(), file);
    if (extname(file) !== EXTENSION)
      throw new Error(`commands/${file}: a command's file must end in ${EXTENSION}`);
    const value = await importDefault(folder, file);
    commands.push({ name, command: validateCommand(name, file, value, kinds) });
  }
  if (commands.length > LIMITS.commands)
    throw new Error(
      `commands/${files[LIMITS.commands]}: there are more than ${LIMITS.commands} commands in ${folder}`,
    );
  const directory = createDirectory(commands, kinds);
  const entries = menuActions(directory);
  for (const { label, command } of entries)
    if (entries.filter((one) => one.label === label).length > 1)
      throw new Error(`commands/${command}${EXTENSION}: another action has the name "${label}" on cards`);
  if (entries.length > LIMITS.onCard)
    throw new Error(`${folder}: more than ${LIMITS.onCard} actions have a name on cards`);
  return directory;
}

async function importDefault(folder: string, file: string): Promise<unknown> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(join(folder, file)).href);
    return module.default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`commands/${file}: cannot be loaded: ${reason}`, { cause });
  }
}
