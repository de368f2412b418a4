import { createDiscordAdapter } from './adapters/discord/adapter.ts';
import { createSlackAdapter } from './adapters/slack/adapter.ts';
import { buildApp } from './app.ts';
import { systemClock } from './clock.ts';
import { type Config, readConfig } from './config.ts';
import { AppError, ConfigError } from './errors.ts';
import { createLog } from './log.ts';

/** How long a stop may take; container platforms kill after ten seconds. */
const STOP_WITHIN_MS = 9_000;

async function main(): Promise<void> {
  const check = process.argv.includes('--check');
  const config = readConfig(process.env);
  if (!check && !config.discord && !config.slack)
    throw new ConfigError([
      'No chat token is set: give DISCORD_TOKEN with DISCORD_GUILDS, or SLACK_BOT_TOKEN with SLACK_APP_TOKEN or SLACK_SIGNING_SECRET. Step by step: docs/discord.md and docs/slack.md. To just see it work, without any account: npm run demo.',
    ]);
  const app = await build(check ? { ...config, database: ':memory:' } : config);
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

function build(config: Config) {
  const { discord, slack } = config;
  const log = createLog({
    level: process.argv.includes('--check') ? 'silent' : config.logLevel,
    secrets: config.secrets,
  });
  return buildApp({
    config,
    clock: systemClock,
    log,
    access: { ...(discord ? { discord: discord.access } : {}), ...(slack ? { slack: slack.access } : {}) },
    adapters: (directory) => [
      ...(discord ? [createDiscordAdapter({ config: discord, directory, clock: systemClock, log })] : []),
      ...(slack ? [createSlackAdapter({ config: slack, directory, clock: systemClock, log })] : []),
    ],
  });
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
