import { flushCompileCache } from 'node:module';
import { type App, buildApp } from '../../src/app.ts';
import type { Adapter } from '../../src/chat/port.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Directory } from '../../src/command/define.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { fastClock } from '../support/fast-clock.ts';

/**
 * Starts the bot like src/main.ts, but with the clock of the local servers (`CHAOS_CLOCK`: `factor:start`). With this
 * clock, a wait of minutes takes only seconds.
 */
const [factor, start] = (process.env.CHAOS_CLOCK ?? '').split(':').map(Number);
const clock = fastClock(factor, start);
const config = readConfig(process.env);
const log = createLog({ level: 'debug', secrets: config.secrets });

/** If the parent process ends, this process ends, too. */
process.once('disconnect', () => process.exit(2));
process.on('unhandledRejection', (err) => {
  log.error({ err }, 'a rejection that nobody handled');
  process.send?.({ fault: String((err as Error | undefined)?.stack ?? err) });
});
process.on('uncaughtException', (err) => {
  log.fatal({ err }, 'an error that nobody caught');
  process.send?.({ fault: String(err.stack) }, () => process.exit(3));
});

type MakeAdapters = (directory: Directory) => Adapter[];

async function discordAdapter(): Promise<MakeAdapters> {
  const { createDiscordAdapter } = await import('../../src/adapters/discord/adapter.ts');
  const { discord } = config;
  return (directory) => (discord ? [createDiscordAdapter({ config: discord, clock, log, directory })] : []);
}

async function slackAdapter(): Promise<MakeAdapters> {
  const { createSlackAdapter } = await import('../../src/adapters/slack/adapter.ts');
  const { slack } = config;
  // Waits for Slack use real time.
  const patient: Clock = { now: () => clock.now(), after: systemClock.after };
  return () => (slack ? [createSlackAdapter({ config: slack, clock: patient, log })] : []);
}

const { discord, slack } = config;
const makers = [...(discord ? [await discordAdapter()] : []), ...(slack ? [await slackAdapter()] : [])];
/** As in src/main.ts, the process ends. Its supervisor then starts the process again. */
function cannotStart(err: unknown): never {
  log.fatal({ err }, 'cannot start');
  process.exit(1);
}

const app: App = await buildApp({
  config,
  clock,
  log,
  over: () => process.exit(1),
  access: { ...(discord ? { discord: discord.access } : {}), ...(slack ? { slack: slack.access } : {}) },
  adapters: (directory) => makers.flatMap((make) => make(directory)),
}).catch(cannotStart);
process.once('SIGTERM', () => {
  setTimeout(() => process.exit(1), 9_000).unref();
  app.stop().then(
    () => process.exit(0),
    (err: unknown) => {
      log.fatal({ err }, 'cannot stop');
      process.exit(1);
    },
  );
});
try {
  const { port } = await app.start();
  process.send?.({ port });
  // Node writes the compile cache only when a process ends by itself, and these processes are killed.
  flushCompileCache();
} catch (err) {
  cannotStart(err);
}
