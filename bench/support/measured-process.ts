import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program, and the words in its output that together say that the program is ready. */
export interface Program {
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly readyWords: readonly string[];
}

/** Starts a program. Resolves when the program is ready. */
export async function startMeasured({ file, environment, readyWords }: Program) {
  const start = performance.now();
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  let output = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (readyWords.every((words) => output.includes(words))) resolve();
    });
  });
  const early = exit.then(([code]) => {
    throw new Error(`${file} ended with ${code}:\n${output}`);
  });
  early.catch(() => undefined);
  await Promise.race([ready, early]);
  return {
    startMs: performance.now() - start,
    /** The memory of the process that is in use right now. */
    memoryMiB: () =>
      Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) / 1024,
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      await exit;
    },
  };
}
