import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bareEnvironment, bareFolder } from '../support/bare-environment.ts';
import { until } from '../support/test-clock.ts';

/** Long enough to start a process on a busy machine. */
export const START_MS = 60_000;

export const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** The bot as a separate process, as it runs in a container. */
export class BotProcess {
  readonly #child: ChildProcess;
  output = '';
  readonly exited: Promise<number | null>;

  constructor(environment: Record<string, string>) {
    this.#child = spawn(process.execPath, [MAIN], {
      cwd: bareFolder,
      env: { ...bareEnvironment, ...environment },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    this.exited = once(this.#child, 'exit').then(([code]) => code as number | null);
  }

  kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the URL of the bot when the bot has started. */
  async started(): Promise<string> {
    const port = () => /"port":(\d+).*"msg":"started"/.exec(this.output)?.[1];
    const found = await until(port, 'the bot to start', START_MS).catch((cause: unknown) => {
      throw new Error(`The bot did not start; it said:\n${this.output}`, { cause });
    });
    return `http://127.0.0.1:${found}`;
  }
}
