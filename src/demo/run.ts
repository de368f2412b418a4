import {
  type ConsoleAdapter,
  type ConsoleOptions,
  createConsoleAdapter,
} from '../adapters/console/adapter.ts';
import { type App, buildApp } from '../app.ts';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import type { SimulatorOptions } from '../simulator/options.ts';
import { startSimulator } from '../simulator/simulator.ts';
import { temporaryFiles } from './files.ts';
import { greeting } from './greeting.ts';
import { settleAll, untilStopped } from './settle-all.ts';
import { playTour } from './tour.ts';

export interface DemoOptions extends Pick<ConsoleOptions, 'input' | 'output' | 'color'> {
  /** Where the demo writes its log lines. */
  readonly errors: { write(text: string): unknown };
  readonly logLevel: string;
  /** If true, servers start and stop in about a second. */
  readonly fast: boolean;
  /** When this signal is aborted, the demo stops its parts in order and ends. */
  readonly stop: AbortSignal;
}

/** If the input is a pipe that sends nothing for this long, the demo continues as if the input were empty. */
const SILENCE_MS = 3000;

/** All durations are in milliseconds. */
const FAST: SimulatorOptions['durations'] = {
  initializing: 100,
  seeking: 150,
  seeked: 50,
  scanning: 150,
  deploying: 400,
  terminating: 300,
  callbackDelay: 20,
  crashAfter: 400,
};

/** Runs the simulator, the bot and a chat in the terminal until the conversation ends. Then stops all three. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const clock = systemClock;
  const simulator = await startSimulator({
    clock,
    measuredBeforeMs: 60 * 60_000,
    ...(options.fast ? { durations: FAST } : {}),
  });
  try {
    // The user's own settings are not read, because the demo talks only to the simulator and stores nothing
    // permanently.
    const config = readConfig({
      EDGEGAP_API_URL: simulator.url,
      EDGEGAP_API_TOKEN: simulator.token,
      FLEETS: 'tournament',
      DATABASE_URL: ':memory:',
      PORT: '0',
      LOG_LEVEL: options.logLevel,
    });
    const log = createLog({
      level: config.logLevel,
      secrets: config.secrets,
      destination: { write: (line) => void options.errors.write(line) },
    });
    const made: ConsoleAdapter[] = [];
    const app: App = await buildApp({
      config,
      clock,
      log,
      loopback: true,
      access: { console: { operators: ['operators'], readers: undefined, readersByDefault: 'operators' } },
      adapters: (directory) => {
        const { input, output, color } = options;
        const saveFile = temporaryFiles();
        made.push(
          createConsoleAdapter({
            input,
            output,
            color,
            clock,
            log,
            directory,
            saveFile,
            silenceMs: SILENCE_MS,
            settled: () => app.settled(),
          }),
        );
        return made;
      },
    });
    const [chat] = made;
    if (!chat) throw new Error('The console adapter was not made');
    try {
      chat.say(greeting(options));
      await app.start();
      await converse(chat, AbortSignal.any([options.stop, chat.closed]), (stop) =>
        settleAll({ app, simulator, clock, stop }),
      );
    } finally {
      await app.stop();
    }
  } finally {
    await simulator.close();
  }
}

async function converse(
  chat: ConsoleAdapter,
  stop: AbortSignal,
  settle: (stop: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    const ending = await untilStopped(stop, chat.finished);
    if (ending === 'end') await settle(stop);
    if (ending === 'no-input') {
      await playTour({ ...chat, type: (...words) => untilStopped(stop, chat.type(...words)) }, () =>
        settle(stop),
      );
    }
  } catch (error) {
    // The output is closed, so the rest of the demo is skipped. EPIPE means that the reader has closed the output,
    // which is not an error. Other reasons, for example a full disk, are errors.
    const reason: { code?: string } = chat.closed.reason ?? {};
    if (!stop.aborted || (chat.closed.aborted && reason.code !== 'EPIPE')) throw error;
  }
}
