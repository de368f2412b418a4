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
  /** All commands, used for completion. */
  readonly directory: Directory;
  /** Whether to write ANSI colours. */
  readonly color: boolean;
  /** Saves a file that belongs to a message. Returns the path at which the person finds the file. */
  readonly saveFile: (file: CardFile) => Promise<string>;
  /**
   * How long to wait for the first line of a pipe. After this time, the pipe counts as empty. Undefined: wait without a
   * limit.
   */
  readonly silenceMs?: number;
  /** Resolves when the immediate effects of a line are on the screen. Only then is the next line of a pipe read. */
  readonly settled?: () => Promise<void>;
  /** IANA name of the person's time zone. Undefined: the time zone of the machine. */
  readonly timeZone?: string;
}

/**
 * How the session ended. `end`: all lines of a pipe were read. `no-input`: the pipe had no line, or its first line did
 * not come in time. `left`: the person at the terminal left. `closed`: the output accepts no more text.
 */
export type SessionEnd = 'end' | 'no-input' | 'left' | 'closed';

/** Chat in a terminal, with one person: the operator of this machine. */
export interface ConsoleAdapter extends Adapter {
  /** Resolves when no more lines will come and every line has been answered. */
  readonly finished: Promise<SessionEnd>;
  /**
   * Aborted when the output accepts no more text. The abort reason is the error of the output, for example EPIPE after
   * the program that reads the output has ended.
   */
  readonly closed: AbortSignal;
  /**
   * Shows the line with the comment, and runs the line as if a person had typed it. Resolves when the line has been
   * answered.
   */
  type(line: string, comment?: string): Promise<void>;
  /** Prints lines that do not belong to a message, e.g. a greeting. The lines must be safe to print. */
  say(lines: readonly string[]): void;
  /** The buttons that can be pressed now, with the oldest first. */
  buttons(): readonly NumberedButton[];
  /** Every message in its present state, with the oldest first. */
  messages(): readonly Shown[];
}

const HERE: Address = { platform: 'console', workspace: 'local', channel: 'terminal' };

/** The person at the terminal may do everything. Anyone who can start this process has Edgegap's token anyway. */
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
  // References to messages stay in the store after the process has ended. The random part keeps the references of
  // different sessions apart.
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

  // A reader such as `| head` closes the output early, which is not an error. The session stops, and `finished`
  // resolves with `closed`.
  output.on('error', (error) => {
    closed.abort(error);
    finish('closed');
    source?.close();
  });

  const warn = async (problem: string) => {
    await board.add({ message: { kind: 'line', tone: 'warning', text: [problem] }, private: true });
  };
  const invoke = async (request: InvocationRequest) => {
    await inbox?.invoke(createInvocation({ adapter, at: HERE, person: OPERATOR, board }, request));
  };
  const press = async (number: number) => {
    const found = transcript.buttons().find((button) => button.number === number);
    if (!found) return warn(noButton(number, transcript));
    const { action, value } = found.button;
    const chosen = value === undefined ? [] : [value];
    await invoke({ kind: 'action', action, chosen, source: found.source });
  };
  const run = async (typed: Typed) => {
    if (typed.kind === 'press') await press(typed.number);
    if (typed.kind === 'malformed') await warn(typed.problem);
    if (typed.kind === 'command') {
      await invoke({ kind: 'command', command: typed.name, args: { kind: 'text', text: typed.text } });
    }
  };
  const echoOf = (line: string) => `${prompt}${shortened(literalLine(line.trim()))}`;
  const isCommand = (name: string) => directory.get(name) !== undefined;

  /** Runs the lines one after the other, in the order in which they arrive. */
  const enqueue = (typed: Typed, echo: readonly string[]): Promise<void> => {
    answered = answered.then(async () => {
      // The adapter was stopped while lines were waiting. These lines get no answer, so the adapter does not show them
      // either.
      if (!inbox) return;
      if (echo.length > 0) screen.print(echo, 'typed');
      try {
        await run(typed);
        if (!interactive && inbox !== undefined) await options.settled?.();
      } catch (err) {
        if (!inbox) return;
        // `inbox` itself tells the person about every error that it can report. For any other error, this log line and
        // this warning tell the person not to wait for an answer.
        log.error({ err }, 'a typed line could not be handled');
        await warn('I could not handle this line, so perhaps nothing was done. My log says more.');
      }
    });
    return answered;
  };

  const handlers: LineHandlers = {
    line(text) {
      const typed = readLine(text, isCommand);
      if (typed.kind === 'nothing' || typed.kind === 'leave') return typed.kind;
      // At a terminal, the typed line is already on the screen, so only a line of a pipe is shown.
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
  const now = transcript.newest().map(({ number: other, button }) => `#${other} ${button.label}`);
  const offer = now.length > 0 ? ` You can press ${now.join(', ')}.` : '';
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
