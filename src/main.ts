import { z } from 'zod';
import { type App, type AppParts, buildApp } from './app.ts';
import { systemClock } from './clock.ts';
import { addEnvFile } from './config/env-file.ts';
import { type Config, readConfig } from './config.ts';
import { AppError, ConfigError, StoreError } from './errors.ts';
import { readFlags } from './flags.ts';
import { createLog, type Logger } from './log.ts';
import { checkDatabase } from './store/store.ts';

/** The maximum time that a stop may take, in milliseconds. Container platforms kill a process after ten seconds. */
const STOP_WITHIN_MS = 9_000;

const usage = {
  text: `Usage: node src/main.ts [--check]

Starts the bot. Its settings are environment variables, and the file .env in this folder: see .env.example.

  --check  says whether the settings are right and every part can be built, and starts nothing
  --help   this text
`,
  options: { check: 'boolean' },
  schema: z.object({ check: z.boolean().default(false) }),
} as const;

async function main(): Promise<void> {
  // If the disk is full, or if no program reads the output, the log line is lost. Later lines are still written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const flags = readFlags(usage);
  if (!flags) return;
  const { check } = flags;
  addEnvFile();
  const config = readConfig(undefined, { chat: !check });
  const log = createLog({ level: check ? 'silent' : config.logLevel, secrets: config.secrets });
  if (check) {
    const app = await buildForCheck(config, log);
    await app.stop();
    const silent = !config.discord && !config.slack;
    process.stdout.write(
      `OK: ${app.directory.all.length} commands, settings and every part can be built.${silent ? ' No chat token is set, so npm start would refuse.' : ''}\n`,
    );
    return;
  }
  const built = build(config, log, (error) => {
    say(error);
    leave(1);
  });
  let leaving = false;
  /** Ends the process with this code after the app has stopped, or with 1 if the stop fails or takes too long. */
  const leave = (code: number) => {
    if (leaving) return;
    leaving = true;
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    // The app is stopped even if it is still starting, because it may already have opened the database, which must be
    // closed.
    const stopped = built.then(
      (app) => app.stop(),
      () => undefined,
    );
    stopped.then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      leave(0);
    });
  // If a library does not handle a rejection, the bot logs the rejection and continues.
  process.on('unhandledRejection', (err) => log.error({ err }, 'a rejection that nobody handled'));
  let lost = false;
  process.on('uncaughtException', (err) => {
    leave(1);
    // Logged only once, because the log itself may be the part that fails.
    if (lost) return;
    lost = true;
    log.fatal({ err }, 'an error that nobody caught: stopping');
  });
  try {
    const app = await built;
    if (leaving) return;
    await app.start();
    void app.warn().catch((err: unknown) => log.error({ err }, 'doctor: the checks at the start failed'));
  } catch (error) {
    // A stop during the start makes the start fail, which is not an error.
    if (leaving) return;
    // No explicit close is necessary here, because the end of the process closes everything that the start has opened,
    // including the database.
    say(error, 'cannot start');
    leave(1);
  }
}

async function build(config: Config, log: Logger, over?: (error: AppError) => void): Promise<App> {
  const { discord, slack } = config;
  const makers = [
    ...(discord ? [await discordAdapter(config, log)] : []),
    ...(slack ? [await slackAdapter(config, log)] : []),
  ];
  return buildApp({
    config,
    clock: systemClock,
    log,
    ...(over ? { over } : {}),
    access: { ...(discord ? { discord: discord.access } : {}), ...(slack ? { slack: slack.access } : {}) },
    adapters: (...parts) => makers.flatMap((make) => make(...parts)),
  });
}

/** Builds every part, even parts that the settings do not need. Opens no database. */
async function buildForCheck(config: Config, log: Logger): Promise<App> {
  checkDatabase(config.database);
  const doctor = import('./doctor/examine.ts');
  await Promise.all([discordAdapter(config, log), slackAdapter(config, log), doctor]);
  return build({ ...config, database: ':memory:' }, log);
}

type MakeAdapters = AppParts['adapters'];

/** Each SDK is loaded only if its platform is used, because the SDKs use most of the time and memory of a start. */
async function discordAdapter({ discord }: Config, log: Logger): Promise<MakeAdapters> {
  const { createDiscordAdapter } = await import('./adapters/discord/adapter.ts');
  return (directory) =>
    discord ? [createDiscordAdapter({ config: discord, clock: systemClock, log, directory })] : [];
}

async function slackAdapter({ slack }: Config, log: Logger): Promise<MakeAdapters> {
  const { createSlackAdapter } = await import('./adapters/slack/adapter.ts');
  return (_, refused) =>
    slack ? [createSlackAdapter({ config: slack, clock: systemClock, log, refused })] : [];
}

/** Writes the last message of the process, for an operator at the terminal, or into the log of the container. */
function say(error: unknown, what = 'cannot go on'): void {
  const lines =
    error instanceof ConfigError
      ? ['', ...error.problems.map((line) => `  - ${line}`), error.hint]
      : error instanceof StoreError
        ? [` ${error.problem}`, error.remedy]
        : error instanceof AppError
          ? [` ${error.userMessage}`, error.hint]
          : [` ${error instanceof Error ? error.stack : String(error)}`];
  const text = lines.filter((line) => line !== undefined).join('\n');
  process.stderr.write(`edgegap-chatops ${what}:${text}\n`);
}

main().catch((error: unknown) => {
  say(error, 'cannot start');
  process.exit(1);
});
