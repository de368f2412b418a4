import { pino } from 'pino';
import { createDiscordAdapter } from '../../src/adapters/discord/adapter.ts';
import { createSlackAdapter } from '../../src/adapters/slack/adapter.ts';
import { type App, buildApp } from '../../src/app.ts';
import type { Clock } from '../../src/clock.ts';
import type { Kinds } from '../../src/command/options.ts';
import { readConfig } from '../../src/config.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import type { ChatDriver } from './chat-driver.ts';
import type { ConsoleDriver } from './console-driver.ts';
import { createConsoleDriver } from './console-driver.ts';
import { freshDatabase } from './databases.ts';
import { createDiscordDriver, groupIds } from './discord-driver.ts';
import { pacedClock } from './paced-clock.ts';
import { createSlackDriver } from './slack-driver.ts';

export type DriverName = 'console' | 'discord' | 'slack-socket' | 'slack-http';

export const driverNames: readonly DriverName[] = ['console', 'discord', 'slack-socket', 'slack-http'];

export interface Bot {
  readonly app: App;
  readonly simulator: Simulator;
  readonly url: string;
  /** All log lines of the bot. */
  readonly log: readonly string[];
  /** Stops the bot and starts a new bot with the same settings and database, like a restart. */
  restart(): Promise<Bot>;
  stop(): Promise<void>;
}

export interface BotOptions {
  readonly clock?: Clock;
  /** Settings in addition to the settings of the driver. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly simulator?: Partial<SimulatorOptions>;
  /** An existing simulator, which the caller closes. */
  readonly edgegap?: Simulator;
  /** Whether Edgegap can reach the bot with callbacks. By default true. */
  readonly callbacks?: boolean;
  readonly commands?: string;
  /** Whether the bot registers its commands on Discord at the start. By default false. */
  readonly register?: boolean;
  readonly kinds?: Kinds;
}

/** Settings that name the operators' and readers' groups of a driver. */
export function accessSettings(driver: ChatDriver): Record<string, string> {
  switch (driver.platform) {
    case 'discord':
      return { DISCORD_OPERATOR_ROLES: groupIds.operators, DISCORD_READER_ROLES: groupIds.readers };
    case 'slack': {
      const ids = (driver as Awaited<ReturnType<typeof createSlackDriver>>).groupIds;
      return { SLACK_OPERATORS: ids.operators, SLACK_READERS: ids.readers };
    }
    case 'console':
      return {};
  }
}

export async function createDriver(name: DriverName, clock: Clock): Promise<ChatDriver> {
  switch (name) {
    case 'console':
      return createConsoleDriver();
    case 'discord':
      return createDiscordDriver({ now: () => clock.now() });
    case 'slack-socket':
      return createSlackDriver({ mode: 'socket' });
    case 'slack-http':
      return createSlackDriver({ mode: 'http' });
  }
}

/** Starts the whole bot, with the driver's platform and a simulated Edgegap. */
export async function startBot(driver: ChatDriver, options: BotOptions = {}): Promise<Bot> {
  const clock = options.clock ?? pacedClock();
  const simulator = options.edgegap ?? (await startSimulator({ clock, ...options.simulator }));
  const lines: string[] = [];
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void lines.push(line) });
  const database = options.environment?.DATABASE_URL ?? (await freshDatabase());
  const config = readConfig({
    EDGEGAP_API_TOKEN: simulator.token,
    EDGEGAP_API_URL: simulator.url,
    DATABASE_URL: database,
    PORT: '0',
    ...(driver.platform === 'discord' ? { DISCORD_REGISTER: options.register ? '1' : '0' } : {}),
    ...accessSettings(driver),
    ...driver.environment,
    ...options.environment,
  });
  const { discord, slack } = config;
  const app = await buildApp({
    config,
    clock,
    log,
    loopback: options.callbacks ?? true,
    ...(options.commands ? { commands: options.commands } : {}),
    ...(options.kinds ? { kinds: options.kinds } : {}),
    access: {
      console: { operators: undefined, readers: undefined, readersByDefault: 'operators' },
      ...(discord ? { discord: discord.access } : {}),
      ...(slack ? { slack: slack.access } : {}),
    },
    adapters: (directory, refused) => [
      ...(driver.platform === 'console' ? [(driver as ConsoleDriver).adapter(directory)] : []),
      ...(discord ? [createDiscordAdapter({ config: discord, clock, log, directory })] : []),
      ...(slack ? [createSlackAdapter({ config: slack, clock, log, refused })] : []),
    ],
  });
  const own = options.edgegap === undefined;
  const { port } = await app.start().catch(async (error: unknown) => {
    await app.stop();
    if (own) await simulator.close();
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  await driver.ready({ url });
  return {
    app,
    simulator,
    url,
    log: lines,
    async restart() {
      await app.stop();
      const environment = { ...options.environment, DATABASE_URL: database };
      return startBot(driver, { ...options, environment, clock, edgegap: simulator });
    },
    async stop() {
      await app.stop();
      if (own) await simulator.close();
    },
  };
}
