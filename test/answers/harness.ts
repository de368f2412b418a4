import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { createDiscordAdapter } from '../../src/adapters/discord/adapter.ts';
import { createSlackAdapter } from '../../src/adapters/slack/adapter.ts';
import { type App, buildApp } from '../../src/app.ts';
import type { Adapter, Address, Inbox, Outgoing } from '../../src/chat/port.ts';
import { readConfig } from '../../src/config.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { AT_ONCE } from '../command/harness.ts';
import { accessSettings, createDriver, type DriverName } from '../support/bot.ts';
import type { ChatDriver } from '../support/chat-driver.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import { mortalDatabase } from '../support/databases.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { inboxOf } from '../support/inbox.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until as eventually } from '../support/test-clock.ts';

/**
 * The step after which an invocation is paused, because its process is about to die or is slow. The step `post` is a
 * message that the bot sends with its own token.
 */
export type Point = 'acknowledge' | 'postCard' | 'respond' | 'post';

/** A process of the bot, with the real adapter. */
export interface Process {
  readonly app: App;
  readonly url: string;
  /** The `DATABASE_URL` of the process. */
  readonly database: string;
  readonly log: readonly string[];
  /** From now on, each invocation is paused after this step. */
  stopAfter(point: Point | undefined): void;
  /** The number of paused invocations. */
  standing(): number;
  /** Continues the paused invocations, as if the process had only been slow. */
  goOn(): void;
  /** Kills the process at once. A killed process sends and writes nothing. */
  kill(): Promise<void>;
}

export interface Stage {
  readonly name: DriverName;
  readonly driver: ChatDriver;
  readonly simulator: Simulator;
  start(): Promise<Process>;
}

/** A chat platform, an Edgegap and a database, on which several processes run one after the other. */
export async function openStage(
  name: DriverName,
  commands?: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Stage> {
  const clock = pacedClock(5);
  const driver = await createDriver(name, clock);
  const simulator = await startSimulator({ clock, ...AT_ONCE });
  const live = await mortalDatabase(clock);
  const ends: (() => Promise<unknown>)[] = [];
  onTestFinished(async () => {
    for (const end of ends) await end();
    await driver.close();
    await simulator.close();
  });

  async function start(): Promise<Process> {
    const life = await live();
    let alive = true;
    let point: Point | undefined;
    let standing = 0;
    let gate = Promise.withResolvers<void>();
    const adapters: Adapter[] = [];
    const lines: string[] = [];
    const log = pino({ level: 'debug', base: null }, { write: (line: string) => void lines.push(line) });
    const config = readConfig({
      EDGEGAP_API_TOKEN: simulator.token,
      EDGEGAP_API_URL: simulator.url,
      DATABASE_URL: life.url,
      PORT: '0',
      ...accessSettings(driver),
      ...driver.environment,
      ...environment,
    });
    const { discord, slack } = config;
    /** After the death of a process, its calls reach no server and get no result. */
    const whileAlive = <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => {
      return async (...args: Args): Promise<T> => {
        if (!alive) return await new Promise<never>(() => undefined);
        return await call(...args);
      };
    };
    const until = async <T>(here: Point, call: Promise<T>, id?: string): Promise<T> => {
      const done = await call;
      if (point !== here) return done;
      // The bot may acknowledge a read before it stores the read. These tests need the read in the store, so they wait
      // for it.
      const isStored = (line: string) => line.includes(`"${id}"`) && line.includes('invocation: stored');
      if (id !== undefined) await eventually(() => lines.some(isStored), 'the stored invocation');
      standing += 1;
      await gate.promise;
      return done;
    };
    const mortal = (adapter: Adapter): Adapter => {
      adapters.push(adapter);
      return Object.assign(Object.create(adapter) as Adapter, {
        post: whileAlive((to: Address, outgoing: Outgoing) => until('post', adapter.post(to, outgoing))),
        edit: whileAlive(adapter.edit),
        resume: whileAlive(adapter.resume),
        sendDirect: whileAlive(adapter.sendDirect),
        streams: adapter.streams && {
          ...adapter.streams,
          append: whileAlive(adapter.streams.append),
          end: whileAlive(adapter.streams.end),
        },
        start: (inbox: Inbox, ...rest: []) =>
          adapter.start(
            inboxOf((given) =>
              inbox.invoke({
                ...given,
                refuse: whileAlive(given.refuse),
                respondPrivately: whileAlive(given.respondPrivately),
                acknowledge: whileAlive((mode) => until('acknowledge', given.acknowledge(mode), given.id)),
                postCard: whileAlive((message, under) => until('postCard', given.postCard(message, under))),
                respond: whileAlive((message) => until('respond', given.respond(message))),
              }),
            ),
            ...rest,
          ),
      });
    };
    const app = await buildApp({
      config,
      clock,
      log,
      loopback: true,
      ...(commands ? { commands } : {}),
      access: {
        console: { operators: undefined, readers: undefined, readersByDefault: 'operators' },
        ...(discord ? { discord: discord.access } : {}),
        ...(slack ? { slack: slack.access } : {}),
      },
      adapters: (directory) => [
        ...(driver.platform === 'console' ? [mortal((driver as ConsoleDriver).adapter(directory))] : []),
        ...(discord
          ? [mortal(createDiscordAdapter({ config: { ...discord, register: false }, clock, log, directory }))]
          : []),
        ...(slack ? [mortal(createSlackAdapter({ config: slack, clock, log }))] : []),
      ],
    });
    const { port } = await app.start();
    const url = `http://127.0.0.1:${port}`;
    await driver.ready({ url });
    ends.push(() => app.stop().catch((error: unknown) => (alive ? Promise.reject(error) : undefined)));
    return {
      app,
      url,
      database: life.url,
      log: lines,
      stopAfter(next) {
        point = next;
      },
      standing: () => standing,
      goOn() {
        gate.resolve();
        gate = Promise.withResolvers();
        standing = 0;
      },
      async kill() {
        alive = false;
        life.end();
        // The connections of the dead process are closed, too.
        if (driver.platform === 'discord') (driver as DiscordDriver).server.gateway.drop();
        for (const adapter of adapters) await adapter.close();
      },
    };
  }
  return { name, driver, simulator, start };
}
