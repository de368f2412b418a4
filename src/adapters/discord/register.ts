import type { REST } from '@discordjs/rest';
import { type APIApplicationCommand, RESTJSONErrorCodes, Routes } from 'discord-api-types/v10';
import type { Directory } from '../../command/define.ts';
import { loadCommands } from '../../command/load.ts';
import type { Kinds } from '../../command/options.ts';
import { type DiscordConfig, readConfig } from '../../config.ts';
import { AppError, ConfigError } from '../../errors.ts';
import { type CommandJson, commandsJson } from './command-json.ts';
import { closeRest, createRest } from './rest.ts';
import { DiscordAPIError, RateLimitError } from './rest-package.ts';
import { toStartError } from './start-error.ts';

type Registered = Awaited<ReturnType<typeof registerIn>>;

/** Reads the settings, registers the commands, and prints the result in sentences. Returns the exit code. */
export async function runRegister(options: {
  /** The default is the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly commandsFolder: string;
  /** Other kinds of options, for tests. */
  readonly kinds?: Kinds;
  readonly print: (line: string) => void;
}): Promise<number> {
  const { environment, commandsFolder, kinds, print } = options;
  try {
    const { discord } = readConfig(environment, { edgegap: false });
    if (!discord)
      throw new ConfigError([
        'DISCORD_TOKEN and DISCORD_GUILDS are missing: set them to register the commands with Discord',
      ]);
    const directory = await loadCommands(commandsFolder, kinds);
    let code = 0;
    await registerCommands(discord, directory, {
      done: (registered) => print(describe(registered)),
      failed(error) {
        code = 1;
        print([error.userMessage, error.hint].filter((text) => text !== undefined).join('\n'));
      },
    });
    return code;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    print(error.userMessage);
    if (error.hint) print(error.hint);
    return 1;
  }
}

interface Place {
  readonly application: string;
  readonly guild: string;
}

interface RegistrationReport {
  /** Called when the commands of a server are as they should be. */
  readonly done: (registered: Registered) => void;
  /** Called when the commands of a server, or of every server, could not be registered. */
  readonly failed: (error: AppError) => void;
  /** Ends the registration. Nothing is reported afterwards. */
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that each configured server has exactly the commands of `directory`. Writes only commands that differ,
 * because Discord allows 200 creations of commands a day in each server. If the registration fails in one server, the
 * other servers still get their commands.
 */
export async function registerCommands(
  config: DiscordConfig,
  directory: Directory,
  { done, failed, signal }: RegistrationReport,
): Promise<void> {
  const wanted = commandsJson(directory, config.access);
  const rest = createRest(config, {
    // Waits for a short rate limit to end, but not for the daily limit.
    rejectOnRateLimit: ({ retryAfter }) => retryAfter > 60_000,
  }).setToken(config.token);
  /** Returns undefined if the work failed. */
  async function attempt<T>(work: () => Promise<T>, place: Partial<Place> = {}): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!signal?.aborted) failed(explain(error, place, config.apiUrl));
      return undefined;
    }
  }
  const own = await attempt(
    () => rest.get(Routes.currentApplication(), { signal }) as Promise<{ id: string }>,
  );
  for (const guild of own ? config.guilds : []) {
    const place = { application: own?.id ?? '', guild };
    const registered = await attempt(() => registerIn(rest, place, wanted, signal), place);
    if (registered && !signal?.aborted) done(registered);
  }
  closeRest(rest);
}

/** Returns the names of the commands that were created, changed and removed. */
async function registerIn(
  rest: REST,
  { application, guild }: Place,
  wanted: readonly CommandJson[],
  signal: AbortSignal | undefined,
) {
  const all = Routes.applicationGuildCommands(application, guild);
  const query = new URLSearchParams({ with_localizations: 'true' });
  const existing = (await rest.get(all, { query, signal })) as APIApplicationCommand[];
  const created: string[] = [];
  const changed: string[] = [];
  const removed: string[] = [];
  for (const command of wanted) {
    const found = existing.find(({ name, type }) => name === command.name && type === command.type);
    if (!found) {
      await rest.post(all, { body: command, signal });
      created.push(command.name);
    } else if (canonical(found) !== canonical(command)) {
      const { type: _, ...body } = command;
      const isSlash = 'description' in command;
      const unset = { name_localizations: null, ...(isSlash ? { description_localizations: null } : {}) };
      await rest.patch(Routes.applicationGuildCommand(application, guild, found.id), {
        body: { ...body, ...unset },
        signal,
      });
      changed.push(command.name);
    }
  }
  for (const { id, name, type } of existing) {
    if (wanted.some((command) => command.name === name && command.type === type)) continue;
    await rest.delete(Routes.applicationGuildCommand(application, guild, id), { signal });
    removed.push(name);
  }
  return { guild, created, changed, removed };
}

/**
 * Turns a command into a text, in order to compare a command of this bot with a registered command. Discord returns a
 * registered command with defaults filled in, false values left out, permissions as text, and the fields in a different
 * order.
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

function describe({ guild, ...changes }: Registered): string {
  const done = Object.entries(changes)
    .filter(([, names]) => names.length > 0)
    .map(([change, names]) => `${change} ${names.join(', ')}`);
  return `Server ${guild}: ${done.length > 0 ? done.join('; ') : 'nothing to change'}`;
}

function explain(
  error: unknown,
  { application, guild }: Partial<Place>,
  apiUrl: string | undefined,
): AppError {
  if (error instanceof RateLimitError) {
    return new AppError('discord-register-limit', 'Discord takes no more command changes for now.', {
      hint: `Try again in ${Math.ceil(error.retryAfter / 60_000)} minutes.`,
      cause: error,
    });
  }
  if (
    error instanceof DiscordAPIError &&
    error.code === RESTJSONErrorCodes.MissingAccess &&
    guild &&
    application
  ) {
    const invite = `https://discord.com/oauth2/authorize?client_id=${application}&scope=bot%20applications.commands`;
    return new AppError('discord-not-invited', `I may not register commands in server ${guild}.`, {
      hint: `Is the id in DISCORD_GUILDS right? If so, invite the bot to that server: ${invite}`,
      cause: error,
    });
  }
  if (error instanceof DiscordAPIError && error.status !== 401) {
    return new AppError('discord-register', `Discord does not take the commands: ${error.message}`, {
      cause: error,
    });
  }
  return toStartError(error, apiUrl);
}
