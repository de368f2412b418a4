import type { REST } from '@discordjs/rest';
import { type APIApplicationCommand, ApplicationCommandType, Routes } from 'discord-api-types/v10';
import type { CommandJson } from './command-json.ts';

/** The application and the Discord server whose commands are compared. */
export interface CommandScope {
  readonly application: string;
  readonly guild: string;
}

/** Compares the commands of a server with the wanted commands. `ids` are the ids of the slash commands. */
export async function compareIn(
  rest: REST,
  { application, guild }: CommandScope,
  wanted: readonly CommandJson[],
  signal: AbortSignal | undefined,
) {
  const all = Routes.applicationGuildCommands(application, guild);
  const query = new URLSearchParams({ with_localizations: 'true' });
  const existing = (await rest.get(all, { query, signal })) as APIApplicationCommand[];
  const isSame = (a: Named, b: Named) => a.name === b.name && a.type === b.type;
  const pairs = wanted.map((command) => ({ command, found: existing.find((one) => isSame(one, command)) }));
  return {
    all,
    missing: pairs.filter(({ found }) => !found).map(({ command }) => command),
    outdated: pairs.flatMap(({ command, found }) =>
      found && canonical(found) !== canonical(command) ? [{ command, id: found.id }] : [],
    ),
    extra: existing.filter((one) => !wanted.some((command) => isSame(one, command))),
    ids: new Map(
      pairs.flatMap(({ command, found }) => (found && isSlash(command) ? [[command.name, found.id]] : [])),
    ),
  };
}

export type Named = Pick<APIApplicationCommand, 'name' | 'type'>;

export function isSlash({ type }: Named): boolean {
  return type === ApplicationCommandType.ChatInput;
}

/**
 * Turns a command into a text in a normal form, so that a wanted command can be compared with a registered command. In
 * a registered command, Discord fills in defaults, leaves out false values, writes permissions as text, and changes the
 * order of the fields.
 */
function canonical(command: CommandJson | APIApplicationCommand): string {
  const { name, default_member_permissions: permissions } = command;
  const {
    description = '',
    options = [],
    ...localised
  } = command as {
    description?: string;
    options?: object[];
    name_localizations?: object | null;
    description_localizations?: object | null;
  };
  return JSON.stringify({
    name,
    description,
    permissions: permissions === null ? null : String(permissions),
    localisations: [localised.name_localizations, localised.description_localizations].map(orNothing),
    options: options.map((option) => canonicalOption(option)),
  });
}

function canonicalOption(option: object): [string, unknown][] {
  return Object.entries(option)
    .map(([name, value]): [string, unknown] => [
      name,
      Array.isArray(value)
        ? value.map((item: unknown) => (isObject(item) ? canonicalOption(item) : item))
        : orNothing(value),
    ])
    .filter(([, value]) => value !== null && value !== false && !(Array.isArray(value) && value.length === 0))
    .toSorted(([a], [b]) => a.localeCompare(b));
}

function orNothing(value: unknown): unknown {
  return value === undefined || (isObject(value) && Object.keys(value).length === 0) ? null : value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
