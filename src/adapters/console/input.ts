import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.ts';

export type TerminalInput = Readable & { readonly isTTY?: boolean; unref?(): void };

/** A source of lines: a pipe or a terminal. */
export interface LineSource {
  close(): void;
}

export interface LineHandlers {
  /** Returns `asked` for a request, `nothing` for an empty line or a comment, and `leave` for a command to leave. */
  line(text: string): 'nothing' | 'asked' | 'leave';
  /** Called when no more lines will come. `no-input` means that no line contained a request. */
  end(how: 'end' | 'no-input'): void;
}

export interface PipeOptions {
  readonly input: TerminalInput;
  readonly clock: Clock;
  readonly silenceMs: number | undefined;
}

/** Reads lines from a pipe or a file. */
export function openPipe({ input, clock, silenceMs }: PipeOptions, handlers: LineHandlers): LineSource {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY, terminal: false });
  let asked = false;
  let over = false;
  let cancel = () => {};

  const end = () => {
    if (over) return;
    over = true;
    cancel();
    lines.close();
    input.pause();
    // The program that writes to the pipe may keep the pipe open. The open pipe must not keep this process alive.
    input.unref?.();
    handlers.end(asked ? 'end' : 'no-input');
  };
  const listen = () => {
    cancel();
    if (!asked && silenceMs !== undefined) cancel = clock.after(silenceMs, end);
  };

  lines.on('line', (text) => {
    if (over) return;
    const kind = handlers.line(text);
    if (kind !== 'nothing') asked = true;
    if (kind === 'leave') end();
    else listen();
  });
  lines.on('close', end);
  // If the input is a directory or a broken pipe, reading fails. The error counts as the end of the input.
  lines.on('error', end);
  listen();
  return { close: end };
}
