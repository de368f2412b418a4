import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { type ConsoleOptions, createConsoleAdapter } from '../../../src/adapters/console/adapter.ts';
import { TestClock } from '../../support/test-clock.ts';
import { commands, NOON } from './fixtures.ts';

/** Opens a console adapter between two streams. Also returns the text that the adapter printed. */
export function openConsole(options: Partial<ConsoleOptions> = {}) {
  const clock = new TestClock(NOON);
  const input = new PassThrough();
  const output = new PassThrough();
  let printed = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const chat = createConsoleAdapter({
    input,
    output,
    clock,
    log: pino({ level: 'silent' }),
    directory: commands,
    color: false,
    saveFile: async ({ name }) => `/tmp/${name}`,
    timeZone: 'UTC',
    ...options,
  });
  return { chat, clock, input, output, printed: () => printed };
}

/** A stream that looks like a terminal of this size. */
export function terminalStream(columns = 80, rows = 24) {
  return Object.assign(new PassThrough(), { isTTY: true, columns, rows });
}
