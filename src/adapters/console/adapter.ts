import { randomBytes } from 'node:crypto';
import type { CardFile } from '../../chat/card.ts';
import type { Adapter, Address, Inbox, InvocationRequest, Person } from '../../chat/port.ts';
import { headOf } from '../../chat/text.ts';
import type { Clock } from '../../clock.ts';
import type { Directory } from '../../command/define.ts';
import { DeliveryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createBoard } from './board.ts';
import { completeLine } from './complete.ts';
import { type LineHandlers, type LineSource, openPipe, type TerminalInput } from './input.ts';
import { ConsoleReply, createInvocation } from './invocation.ts';
import { limits } from './limits.ts';
import { literalLine } from './literal.ts';
import { createPlainScreen, type Output, type Screen } from './screen.ts';
import { paint, span } from './spans.ts';
import { openTerminal } from './terminal.ts';
import { createTranscript, type NumberedButton, type Shown, type Transcript } from './transcript.ts';
import { readLine, type Typed } from './typed.ts';

export interface ConsoleOptions {
  readonly input: TerminalInput;
  readonly output: Output;
  readonly clock: Clock;
  readonly log: Logger;
  /** All commands, for completion. */
  readonly directory: Directory;
  /** Whether to write ANSI colours. */
  readonly color: boolean;
  /** Keeps a file that comes with a message; answers where the person finds it. */
  readonly saveFile: (file: CardFile) => Promise<string>;
  /** In a pipe, silence for this long before any line counts as no input; undefined: wait for as long as it takes. */
  readonly silenceMs?: number;
  /** Resolves when what a line caused right away is on the screen; the next line of a pipe waits for it. */
  readonly settled?: () => Promise<void>;
  /** IANA name of the person's time zone; the machine's own when undefined. */
  readonly timeZone?: string;
}

/**
 * How the conversation ended. `end`: the lines of a pipe ran out; `no-input`: there never was one, or long silence;
 * `left`: the person at the terminal is done; `closed`: nobody reads the output any more.
 */
export type SessionEnd = 'end' | 'no-input' | 'left' | 'closed';

/** Chat in a terminal, with one person: the operator of this machine. */
export interface ConsoleAdapter extends Adapter {
  /** Resolves once no more lines come and each has its answer. */
  readonly finished: Promise<SessionEnd>;
  /** Aborted when the output cannot be written any more: nobody reads it (EPIPE), or as its reason says. */
  readonly closed: AbortSignal;
  /** Runs a line and shows it as if it had been typed, under a comment if given. Resolves when it has its answer. */
  type(line: string, comment?: string): Promise<void>;
  /** Prints lines that are no message, e.g. a greeting; they must be safe to print. */
  say(lines: readonly string[]): void;
  /** The buttons that can be pressed now, oldest first. */
  buttons(): readonly NumberedButton[];
  /** Every message, oldest first, as it stands now. */
  messages(): readonly Shown[];
}

const HERE: Address = { platform: 'console', workspace: 'local', channel: 'terminal' };

/** Whoever can start this process has its token anyway, so nothing is withheld from them. */
const OPERATOR: Person = {
  id: 'operator',
  name: 'you',
  home: true,
  guest: false,
  admin: true,
  groups: ['operators'],
};

export function createConsoleAdapter(options: ConsoleOptions): ConsoleAdapter {
  const { input, output, clock, log, directory, color } = options;
  const interactive = Boolean(input.isTTY && output.isTTY);
  const prompt = `${paint([span('›', ['bold', 'cyan'])], color)} `;
  const { promise: finished, resolve: finish } = Promise.withResolvers<SessionEnd>();
  const closed = new AbortController();
  // References outlive the process in the store; those of an earlier session must not look like ours.
  const session = randomBytes(4).toString('hex');
  const transcript = createTranscript((nth) => ({ ...HERE, message: `${session}-${nth}` }));

  let inbox: Inbox | undefined;
  let source: LineSource | undefined;
  let screen: Screen = createPlainScreen((text) => {
    if (output.writable) output.write(text);
  });
  let connected = false;
  let answered: Promise<void> = Promise.resolve();

  const board = createBoard({
    ...options,
    transcript,
    columns: () => (output.isTTY ? (output.columns ?? 80) : undefined),
    screen: () => screen,
  });

  // `| head` closes the output early, which is no error of anybody's: stop, and say so through `finished`.
  output.on('error', (error) => {
    closed.abort(error);
    finish('closed');
    source?.close();
  });

  const complain = async (problem: string) => {
    await board.add({ message: { kind: 'line', tone: 'warning', text: [problem] }, private: true });
  };
  const invoke = async (request: InvocationRequest) => {
    await inbox?.invoke(createInvocation({ adapter, at: HERE, person: OPERATOR, board }, request));
  };
  const press = async (number: number) => {
    const found = transcript.buttons().find((button) => button.number === number);
    if (!found) return complain(noButton(number, transcript));
    const { action, value } = found.button;
    const chosen = value === undefined ? [] : [value];
    await invoke({ kind: 'action', action, chosen, source: found.source });
  };
  const run = async (typed: Typed) => {
    if (typed.kind === 'press') await press(typed.number);
    if (typed.kind === 'malformed') await complain(typed.problem);
    if (typed.kind === 'command') {
      await invoke({ kind: 'command', command: typed.name, args: { kind: 'text', text: typed.text } });
    }
  };
  const echoOf = (line: string) => `${prompt}${shortened(literalLine(line.trim()))}`;
  const isCommand = (name: string) => directory.get(name) !== undefined;

  /** One line at a time, in the order in which they came. */
  const enqueue = (typed: Typed, echo: readonly string[]): Promise<void> => {
    answered = answered.then(async () => {
      // Stopped with lines still waiting: they get no answer, so they are not shown either.
      if (!inbox) return;
      if (echo.length > 0) screen.print(echo, 'typed');
      try {
        await run(typed);
        if (!interactive && inbox !== undefined) await options.settled?.();
      } catch (err) {
        if (!inbox) return;
        // The pipeline answers every error itself; this is for what it cannot answer, so that nobody waits in vain.
        log.error({ err }, 'A typed line could not be handled');
        await complain('That did not work, for a reason this terminal cannot tell.');
      }
    });
    return answered;
  };

  const handlers: LineHandlers = {
    line(text) {
      const typed = readLine(text, isCommand);
      if (typed.kind === 'nothing' || typed.kind === 'leave') return typed.kind;
      // At a terminal it is on the screen already.
      void enqueue(typed, interactive ? [] : [echoOf(text)]);
      return 'asked';
    },
    end(how) {
      if (interactive) finish('left');
      else void answered.then(() => finish(how));
    },
  };

  const adapter: ConsoleAdapter = {
    platform: HERE.platform,
    supports: { idempotentPosts: true, history: true },
    paceMs: { post: 0, edit: 0 },
    finished,
    closed: closed.signal,
    async start(given) {
      inbox = given;
      connected = true;
      if (interactive) {
        const complete = (line: string) =>
          completeLine(
            line,
            directory,
            transcript.buttons().map(({ number }) => number),
            async (asked) =>
              (await inbox?.suggest({ ...asked, at: HERE, person: async () => OPERATOR })) ?? [],
          );
        const terminal = openTerminal({ input, output, prompt, complete }, handlers);
        source = terminal;
        screen = terminal;
      } else {
        source = openPipe({ input, clock, silenceMs: input.isTTY ? undefined : options.silenceMs }, handlers);
      }
    },
    async stop() {
      inbox = undefined;
      source?.close();
    },
    async close() {
      await adapter.stop();
      connected = false;
    },
    healthy: () => connected,
    fits: () => true,
    async post(_to, { message, replyTo, key }) {
      refuseUnless(connected);
      return transcript.withKey(key)?.ref ?? board.add({ message, replyTo, key });
    },
    async edit(ref, message) {
      refuseUnless(connected);
      await board.change(ref, message);
    },
    async findPosted(_to, key, since) {
      const shown = transcript.withKey(key);
      return shown && shown.postedAt >= since ? shown.ref : undefined;
    },
    async resume(reply, { message, mayLeave }) {
      refuseUnless(connected);
      const { id: key, private: hidden } = ConsoleReply.parse(reply);
      mayLeave();
      if (!transcript.withKey(key)) await board.add({ message, private: hidden, key });
    },
    person: async () => OPERATOR,
    async sendDirect(_person, { message, key }) {
      refuseUnless(connected);
      if (!transcript.withKey(key)) await board.add({ message, private: true, key });
    },
    type: (line, comment) => {
      const note = comment === undefined ? [] : [paint([span(`# ${literalLine(comment)}`, 'dim')], color)];
      return enqueue(readLine(line, isCommand), [...note, echoOf(line)]);
    },
    say: (lines) => screen.print(lines, 'block'),
    buttons: () => transcript.buttons(),
    messages: () => transcript.all,
  };
  return adapter;
}

function shortened(text: string): string {
  const head = headOf(text, limits.echoColumns);
  return head === text ? text : `${head}…`;
}

function noButton(number: number, transcript: Transcript): string {
  const now = transcript.buttons().map(({ number: other, button }) => `#${other} ${button.label}`);
  const offer = now.length > 0 ? ` You can press ${now.slice(-5).join(', ')}.` : '';
  return transcript.known(number)
    ? `Button #${number} is gone: its message has changed.${offer}`
    : `There is no button #${number}.${offer}`;
}

function refuseUnless(connected: boolean): void {
  if (connected) return;
  throw new DeliveryError('console-closed', 'The terminal chat is closed.', {
    outcome: 'not-sent',
    retryable: true,
  });
}
