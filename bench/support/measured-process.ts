import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program, and the texts in its output. When all these texts have appeared, the program is ready. */
export interface Program {
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly readyWords: readonly string[];
}

/** The options with which the image runs Node.js (see Dockerfile). */
export const IMAGE_OPTIONS = '--max-semi-space-size=4';

/**
 * The usage of a process: milliseconds since its start, milliseconds of processor time, and its present memory in MiB.
 */
export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly memoryMiB: number;
}

/** Code that runs in each measured process before the program, and sends the process's usage to the bench. */
const REPORTER = `data:text/javascript,${encodeURIComponent(`
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send({ cpuMs: (user + system) / 1_000, memoryMiB: process.memoryUsage.rss() / 2 ** 20 });
  });
`)}`;

/** Starts a program. Resolves with the program's usage when the program is ready. */
export async function startMeasured({ file, environment, readyWords }: Program) {
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', REPORTER, file], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exit = once(child, 'exit');
  let output = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (readyWords.every((words) => output.includes(words))) resolve();
    });
  });
  const ended = exit.then(([code]) => {
    throw new Error(`${file} ended with ${code}:\n${output}`);
  });
  ended.catch(() => undefined);
  const usage = async (): Promise<Usage> => {
    const wallMs = performance.now() - start;
    child.send('usage');
    const [used] = await Promise.race([once(child, 'message'), ended]);
    return { wallMs, ...(used as Omit<Usage, 'wallMs'>) };
  };
  await Promise.race([ready, ended]);
  return {
    atStart: await usage(),
    usage,
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      await exit;
    },
  };
}
