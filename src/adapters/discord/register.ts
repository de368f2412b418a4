import type { REST } from '@discordjs/rest';
import { type APIApplicationCommand, RESTJSONErrorCodes, Routes } from 'discord-api-types/v10';
import type { Directory } from '../../command/define.ts';
import { loadCommands } from '../../command/load.ts';
import type { Kinds } from '../../command/options.ts';
import { addEnvFile } from '../../config/env-file.ts';
import { type DiscordConfig, readConfig } from '../../config.ts';
import { AppError, ConfigError } from '../../errors.ts';
import { type CommandScope, compareIn, isSlash, type Named } from './command-differences.ts';
import type { IdsByName } from './command-ids.ts';
import { type CommandJson, commandsJson } from './command-json.ts';
import { inviteLink } from './permissions.ts';
import { closeRest, createRest } from './rest.ts';
import { DiscordAPIError, RateLimitError } from './rest-package.ts';
import { toStartError } from './start-error.ts';

type Registered = Omit<Awaited<ReturnType<typeof registerIn>>, 'ids'>;

/** Reads the settings, registers the commands, and prints the result in sentences. Returns the exit code. */
export async function runRegister(options: {
  /** By default, the environment of this process. */
  readonly environment?: Record<string, string | undefined>;
  /** An optional file with further settings. The settings are added to the environment. */
  readonly envFile?: string;
  readonly commandsFolder: string;
  /** The kinds of options. Tests pass their own kinds. */
  readonly kinds?: Kinds;
  readonly print: (line: string) => void;
}): Promise<number> {
  const { environment, envFile, commandsFolder, kinds, print } = options;
  try {
    if (envFile !== undefined) addEnvFile(envFile, environment);
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

interface RegistrationReport {
  /** Called when a server has exactly the wanted commands. */
  readonly done: (registered: Registered, ids: IdsByName) => void;
  /** Called when the commands of a server, or of every server, could not be registered. */
  readonly failed: (error: AppError) => void;
  /** Ends the registration. No callback is called afterwards. */
  readonly signal?: AbortSignal;
}

/**
 * Gives each configured server exactly the commands of `directory`. Writes only the commands that differ, because
 * Discord allows only 200 new commands a day in each server. If the registration fails in one server, the other servers
 * still get their commands.
 */
export async function registerCommands(
  config: DiscordConfig,
  directory: Directory,
  { done, failed, signal }: RegistrationReport,
): Promise<void> {
  const report = { failed, ...(signal ? { signal } : {}) };
  await inEachServer(config, directory, report, async (rest, place, wanted) => {
    const { ids, ...changes } = await registerIn(rest, place, wanted, signal);
    if (!signal?.aborted) done(changes, ids);
  });
}

/** Compares the commands of each configured server with `directory`, and writes nothing. */
export async function compareCommands(
  config: DiscordConfig,
  directory: Directory,
  {
    told,
    ...report
  }: Omit<RegistrationReport, 'done'> & {
    readonly told: (differences: Differences, ids: IdsByName) => void;
  },
): Promise<void> {
  await inEachServer(config, directory, report, async (rest, place, wanted) => {
    const { missing, outdated, extra, ids } = await compareIn(rest, place, wanted, report.signal);
    const names = (commands: readonly Named[]) => commands.map(({ name }) => name);
    const different = { missing: names(missing), outdated: names(outdated.map(({ command }) => command)) };
    if (!report.signal?.aborted) told({ guild: place.guild, ...different, extra: names(extra) }, ids);
  });
}

/** The names of the commands that differ between a server and this version of the bot. */
interface Differences {
  readonly guild: string;
  readonly missing: readonly string[];
  readonly outdated: readonly string[];
  readonly extra: readonly string[];
}

async function inEachServer(
  config: DiscordConfig,
  directory: Directory,
  { failed, signal }: Omit<RegistrationReport, 'done'>,
  work: (rest: REST, place: CommandScope, wanted: readonly CommandJson[]) => Promise<void>,
): Promise<void> {
  const wanted = commandsJson(directory, config.access);
  const rest = createRest(config, {
    // Lets the client wait for a short rate limit to end, but not for the daily limit.
    rejectOnRateLimit: ({ retryAfter }) => retryAfter > 60_000,
  }).setToken(config.token);
  /** Returns undefined if the work failed. */
  async function attempt<T>(
    work: () => Promise<T>,
    place: Partial<CommandScope> = {},
  ): Promise<T | undefined> {
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
    await attempt(() => work(rest, place, wanted), place);
  }
  closeRest(rest);
}

/** Writes the differences. Returns the names of the commands that were created, changed and removed, and all ids. */
async function registerIn(
  rest: REST,
  place: CommandScope,
  wanted: readonly CommandJson[],
  signal: AbortSignal | undefined,
) {
  const { all, missing, outdated, extra, ids } = await compareIn(rest, place, wanted, signal);
  const { application, guild } = place;
  for (const command of missing) {
    const { id } = (await rest.post(all, { body: command, signal })) as APIApplicationCommand;
    if (isSlash(command)) ids.set(command.name, id);
  }
  for (const { command, id } of outdated) {
    const { type: _, ...body } = command;
    const unset = {
      name_localizations: null,
      ...(isSlash(command) ? { description_localizations: null } : {}),
    };
    await rest.patch(Routes.applicationGuildCommand(application, guild, id), {
      body: { ...body, ...unset },
      signal,
    });
  }
  for (const { id } of extra)
    await rest.delete(Routes.applicationGuildCommand(application, guild, id), { signal });
  return {
    guild,
    created: missing.map(({ name }) => name),
    changed: outdated.map(({ command }) => command.name),
    removed: extra.map(({ name }) => name),
    ids,
  };
}

function describe({ guild, ...changes }: Registered): string {
  const done = Object.entries(changes)
    .filter(([, names]) => names.length > 0)
    .map(([change, names]) => `${change} ${names.join(', ')}`);
  return `Server ${guild}: ${done.length > 0 ? done.join('; ') : 'nothing to change'}`;
}

function explain(
  error: unknown,
  { application, guild }: Partial<CommandScope>,
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
    return new AppError('discord-not-invited', `I may not register commands in server ${guild}.`, {
      hint: `Is the id in DISCORD_GUILDS right? If so, invite the bot to that server: ${inviteLink(application, guild)}`,
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
