import type { Adapter } from './adapters/adapter.ts';
import { type App, buildApp } from './app.ts';
import { systemClock } from './clock.ts';
import type { Directory } from './command/directory.ts';
import { type Config, readConfig } from './config.ts';
import { AppError, ConfigError } from './errors.ts';
import { createLog, type Logger } from './log.ts';

/** How long a stop may take; container platforms kill after ten seconds. */
const STOP_WITHIN_MS = 9_000;

async function main(): Promise<void> {
  const check = process.argv.includes('--check');
  const config = readConfig(process.env);
  if (!check && !config.discord && !config.slack)
    throw new ConfigError([
      'No chat token is set: give DISCORD_TOKEN with DISCORD_GUILDS, or SLACK_BOT_TOKEN with SLACK_APP_TOKEN or SLACK_SIGNING_SECRET. Step by step: docs/discord.md and docs/slack.md. To just see it work, without any account: npm run demo.',
    ]);
  const log = createLog({ level: check ? 'silent' : config.logLevel, secrets: config.secrets });
  const app = check ? await buildForCheck(config, log) : await build(config, log);
  if (check) {
    await app.stop();
    process.stdout.write(`OK: ${app.directory.all.length} commands, settings and every part can be built.\n`);
    return;
  }
  const stop = stopOnce(() => app.stop());
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await app.start();
}

async function build(config: Config, log: Logger): Promise<App> {
  const { discord, slack } = config;
  const makers = [
    ...(discord ? [await discordAdapter(config, log)] : []),
    ...(slack ? [await slackAdapter(config, log)] : []),
  ];
  return buildApp({
    config,
    clock: systemClock,
    log,
    access: { ...(discord ? { discord: discord.access } : {}), ...(slack ? { slack: slack.access } : {}) },
    adapters: (directory) => makers.flatMap((make) => make(directory)),
  });
}

/** Builds every part, also what the settings do not ask for, and opens no file. */
async function buildForCheck(config: Config, log: Logger): Promise<App> {
  await Promise.all([discordAdapter(config, log), slackAdapter(config, log)]);
  return build({ ...config, database: ':memory:' }, log);
}

type MakeAdapters = (directory: Directory) => Adapter[];

/** Each SDK is loaded only where its platform is used: they are most of the start's time and memory. */
async function discordAdapter({ discord }: Config, log: Logger): Promise<MakeAdapters> {
  const { createDiscordAdapter } = await import('./adapters/discord/adapter.ts');
  return (directory) =>
    discord ? [createDiscordAdapter({ config: discord, directory, clock: systemClock, log })] : [];
}

async function slackAdapter({ slack }: Config, log: Logger): Promise<MakeAdapters> {
  const { createSlackAdapter } = await import('./adapters/slack/adapter.ts');
  return (directory) =>
    slack ? [createSlackAdapter({ config: slack, directory, clock: systemClock, log })] : [];
}

function stopOnce(stop: () => Promise<void>): () => void {
  return () => {
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) {
    process.stderr.write(
      `edgegap-chatops cannot start:\n${error.problems.map((line) => `  - ${line}\n`).join('')}${error.hint}\n`,
    );
  } else if (error instanceof AppError) {
    process.stderr.write(`edgegap-chatops cannot start: ${error.userMessage}\n${error.hint ?? ''}\n`);
  } else {
    process.stderr.write(
      `edgegap-chatops cannot start: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
  }
  process.exit(1);
});
