import { readFlags, usage } from './demo/flags.ts';
import { runDemo } from './demo/run.ts';
import { AppError } from './errors.ts';

/** `npm run demo`: the whole bot against a simulated Edgegap, as a chat in this terminal. */
async function main(): Promise<number> {
  const { stdin, stdout, stderr, env } = process;
  // A reader that has seen enough (`| head`) is no error; the chat notices by itself.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  const flags = readFlags(process.argv.slice(2));
  if (flags.kind === 'help') {
    stdout.write(usage);
    return 0;
  }
  if (flags.kind === 'problem') {
    stderr.write(`${flags.problem}\n\n${usage}`);
    return 2;
  }
  const stop = new AbortController();
  let signalled = 0;
  const onSignal = (code: number) => () => {
    signalled = code;
    stop.abort();
  };
  // By convention 128 and the signal's number. A second one ends the process at once.
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
  return signalled;
}

try {
  process.exitCode = await main();
} catch (error) {
  const reason =
    error instanceof AppError ? error.userMessage : error instanceof Error ? error.message : error;
  process.stderr.write(`The demo could not run: ${reason}\n`);
  process.exitCode = 1;
}
