import type { Command } from './define.ts';

/** A command under its name, the name of its file. */
export interface NamedCommand {
  readonly name: string;
  readonly command: Command;
}

/** All commands, in the order of their names. */
export interface Directory {
  readonly all: readonly NamedCommand[];
  get(name: string): Command | undefined;
}

export function createDirectory(commands: readonly NamedCommand[]): Directory {
  const all = commands.toSorted((a, b) => a.name.localeCompare(b.name));
  const byName = new Map(all.map(({ name, command }) => [name, command]));
  return { all, get: (name) => byName.get(name) };
}
