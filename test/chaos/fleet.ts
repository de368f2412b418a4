import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const ENTRY = join(import.meta.dirname, 'bot.ts');
/** If a bot ends by itself, its supervisor starts the bot again after this many milliseconds. */
const RESTART_MS = 300;

export interface FleetOptions {
  readonly size: number;
  /** The environment for the process with this number. */
  readonly environment: (place: number) => Readonly<Record<string, string>>;
  /** The folder for the logs of the processes. */
  readonly folder: string;
  /** The program that each process runs. If absent, bot.ts. */
  readonly entry?: string;
  /** A module loaded before the bot. */
  readonly preload?: string;
}

interface Place {
  child: ChildProcess | undefined;
  port: number | undefined;
  /** Whether the run has killed the process. If so, only `start` starts it again. */
  struck: boolean;
}

/** The processes of the bot. Like a container platform, this class restarts a process that ends by itself. */
export class Fleet {
  /** The exit codes of processes that ended by themselves. */
  readonly endedByThemselves: (number | null)[] = [];
  /** The unhandled rejections and uncaught errors of the processes. */
  readonly faults: string[] = [];
  readonly #options: FleetOptions;
  readonly #places: Place[];
  #closing = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.size }, () => ({
      child: undefined,
      port: undefined,
      struck: false,
    }));
    for (const index of this.#places.keys()) this.start(index);
  }

  /** The ports of the processes that have started. */
  ports(): number[] {
    return this.#places.flatMap(({ port }) => (port === undefined ? [] : [port]));
  }

  get complete(): boolean {
    return this.ports().length === this.#places.length;
  }

  start(index: number): void {
    const place = this.#places[index];
    if (!place || place.child || this.#closing) return;
    const { environment, folder, preload, entry = ENTRY } = this.#options;
    const file = openSync(join(folder, `bot-${index}.log`), 'a');
    const child = spawn(process.execPath, [...(preload ? ['--import', preload] : []), entry], {
      env: { PATH: process.env.PATH, ...environment(index) },
      stdio: ['ignore', file, file, 'ipc'],
    });
    closeSync(file);
    place.child = child;
    place.struck = false;
    child.on('message', ({ port, fault }: { port?: number; fault?: string }) => {
      if (port !== undefined) place.port = port;
      if (fault !== undefined) this.faults.push(fault);
    });
    child.once('exit', (code) => {
      place.child = undefined;
      place.port = undefined;
      if (place.struck || this.#closing) return;
      this.endedByThemselves.push(code);
      void setTimeout(RESTART_MS).then(() => this.start(index));
    });
  }

  /**
   * Kills the process with this number. Resolves with the exit code, or with undefined if the process is not running.
   */
  async strike(index: number, signal: NodeJS.Signals): Promise<number | null | undefined> {
    const place = this.#places[index];
    const child = place?.child;
    if (!place || !child) return undefined;
    place.struck = true;
    place.port = undefined;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = await exited;
    return code as number | null;
  }

  /** Ends all processes. Resolves with their exit codes. */
  async close(signal: NodeJS.Signals): Promise<(number | null)[]> {
    this.#closing = true;
    const codes = await Promise.all(this.#places.map((_, index) => this.strike(index, signal)));
    return codes.filter((code) => code !== undefined);
  }
}
