import { z } from 'zod';
import { runDemo } from './demo/run.ts';
import { AppError } from './errors.ts';
import { readFlags } from './flags.ts';

const usage = {
  text: `Usage: npm run demo [-- --fast]

Edgegap dedicated servers from chat, here in a terminal, against a simulated Edgegap.
At a terminal you get a prompt. From a pipe each line is run in order. Without any input a short tour is played.

  --fast   servers start and stop in about a second
  --help   this text
`,
  options: { fast: 'boolean' },
  schema: z.object({ fast: z.boolean().default(false) }),
} as const;

/** `npm run demo`: the whole bot with a simulated Edgegap, as a chat in this terminal. */
async function main(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  // A program that reads the output may end early (`| head`). This is not an error, and the chat detects the end on its
  // own.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  const flags = readFlags(usage);
  if (!flags) return;
  const stop = new AbortController();
  const onSignal = (code: number) => () => {
    process.exitCode = code;
    stop.abort();
  };
  // By convention, the exit code is 128 plus the signal's number. A second signal ends the process at once.
  process.once('SIGINT', onSignal(130)).once('SIGTERM', onSignal(143));
  await runDemo({
    input: stdin,
    output: stdout,
    errors: stderr,
    color: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    fast: flags.fast,
    logLevel: env.LOG_LEVEL || 'error',
    stop: stop.signal,
  });
}

try {
  await main();
} catch (error) {
  const reason =
    error instanceof AppError ? error.userMessage : error instanceof Error ? error.message : error;
  process.stderr.write(`The demo could not run: ${reason}\n`);
  process.exitCode = 1;
}
