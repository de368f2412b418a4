import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bareEnvironment } from '../support/bare-environment.ts';

const DEMO = join(import.meta.dirname, '..', '..', 'src', 'demo.ts');

export interface Finished {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Starts the real demo as a process, with pipes for its standard streams. */
export function startDemo(...flags: string[]) {
  const child = spawn(process.execPath, [DEMO, ...flags], {
    stdio: 'pipe',
    env: bareEnvironment,
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, errors }));
  });
  return { child, finished, output: () => output };
}

/** Runs the demo with these input lines. Resolves with the output and the exit code. */
export function runDemo(lines: string, ...flags: string[]): Promise<Finished> {
  const { child, finished } = startDemo('--fast', ...flags);
  child.stdin.end(lines);
  return finished;
}
