import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import {
  type ConsoleAdapter,
  type ConsoleOptions,
  createConsoleAdapter,
} from '../../src/adapters/console/adapter.ts';
import { completeLine } from '../../src/adapters/console/complete.ts';
import { renderMessage } from '../../src/adapters/console/render.ts';
import type { Shown } from '../../src/adapters/console/transcript.ts';
import { readLine } from '../../src/adapters/console/typed.ts';
import type { CardFile, Inline, Message, Rich } from '../../src/chat/card.ts';
import type { Address, Inbox, Person } from '../../src/chat/port.ts';
import { systemClock } from '../../src/clock.ts';
import type { Directory } from '../../src/command/define.ts';
import type { Options } from '../../src/command/kinds/kind.ts';
import { type ChatDriver, contentOf, type Persona, type Values, type VisibleMessage } from './chat-driver.ts';
import { until } from './test-clock.ts';

export interface ConsoleDriver extends ChatDriver {
  readonly platform: 'console';
  /** Creates the adapter for the bot with these commands. */
  adapter(directory: Directory, options?: Partial<ConsoleOptions>): ConsoleAdapter;
  /** Types a line unchanged. Resolves when the line has received its first response. */
  type(line: string): Promise<void>;
  /** The completions of a line after the Tab key: the suggestions, and the word that a suggestion replaces. */
  complete(line: string): Promise<[string[], string]>;
  /** The whole output so far. */
  output(): string;
}

/** Acts as the only person at a terminal: writes lines into a stream, and reads the text on the screen. */
export async function createConsoleDriver(): Promise<ConsoleDriver> {
  const input = new PassThrough();
  const output = new PassThrough();
  let printed = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });

  let chat: ConsoleAdapter | undefined;
  let directory: Directory | undefined;
  let inbox: Inbox | undefined;
  /** For each typed line without a response, the function that reports the response. Oldest first. */
  const waiting: (() => void)[] = [];
  const texts = new Texts();

  const commands = (name: string): Options | undefined =>
    directory?.all.flatMap(({ entries }) => entries).find((entry) => entry.name === name)?.options;
  const started = (): ConsoleAdapter => {
    if (!chat) throw new Error('The bot has no console adapter yet: hand it driver.adapter(directory)');
    return chat;
  };
  const type = async (line: string): Promise<void> => {
    if (/[\r\n]/.test(line)) throw new Error('A line of a terminal cannot hold a line break');
    const typed = readLine(line, (name) => commands(name) !== undefined);
    const { messages, buttons } = started();
    const reachesCommand =
      typed.kind === 'command' ||
      (typed.kind === 'press' && buttons().some(({ number }) => number === typed.number));
    if (!reachesCommand) {
      const before = messages().length;
      input.write(`${line}\n`);
      if (typed.kind === 'press' || typed.kind === 'malformed')
        await until(() => messages().length > before, `an answer to ${line}`);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    input.write(`${line}\n`);
    return promise;
  };

  return {
    platform: 'console',
    environment: {},
    adapter(given, options) {
      directory = given;
      chat = announcing(
        createConsoleAdapter({
          input,
          output,
          clock: systemClock,
          log: pino({ level: 'silent' }),
          directory: given,
          color: false,
          timeZone: 'UTC',
          saveFile: async (file) => `/tmp/${file.name}`,
          ...options,
        }),
        () => waiting.shift()?.(),
        (given) => {
          inbox = given;
        },
      );
      return chat;
    },
    async ready() {
      started();
    },
    async command(persona, name, values = {}) {
      onlyOperator(persona);
      await type([name, ...argumentsOf(values, commands(name) ?? {})].join(' '));
    },
    async press(persona, label) {
      onlyOperator(persona);
      const found = started()
        .buttons()
        .filter(({ button }) => button.label === label)
        .at(-1);
      if (!found) throw new Error(`No button “${label}” on the screen:\n${printed}`);
      await type(`#${found.number}`);
    },
    type,
    async complete(line) {
      if (!directory || !inbox) throw new Error('The bot is not started yet');
      const { suggest } = inbox;
      const person = async () => OPERATOR;
      return await completeLine(line, directory, [], (asked) => suggest({ ...asked, at, person }));
    },
    output: () => printed,
    channel: () =>
      visible(
        started()
          .messages()
          .filter((shown) => !shown.private),
        texts,
      ),
    privately(persona) {
      onlyOperator(persona);
      return visible(
        started()
          .messages()
          .filter((shown) => shown.private),
        texts,
      );
    },
    regroup(persona) {
      onlyOperator(persona);
    },
    async close() {
      await chat?.stop();
      input.end();
    },
  };
}

const at: Address = { platform: 'console', workspace: 'local', channel: 'terminal' };
const OPERATOR: Person = {
  id: 'operator',
  name: 'you',
  home: true,
  guest: false,
  admin: true,
  groups: ['operators'],
};

function onlyOperator(persona: Persona): void {
  if (persona !== 'operator')
    throw new Error(`${persona}: not on this platform; a terminal has its operator only`);
}

/** Calls `respond` at the first response to each invocation, or when the invocation ends without a response. */
function announcing(
  adapter: ConsoleAdapter,
  respond: () => void,
  started: (inbox: Inbox) => void,
): ConsoleAdapter {
  return Object.assign(Object.create(adapter), {
    start(inbox: Inbox) {
      started(inbox);
      const invoke: Inbox['invoke'] = async (invocation) => {
        let told = false;
        const tell = () => {
          if (!told) respond();
          told = true;
        };
        try {
          await inbox.invoke({
            ...invocation,
            refuse: async (message) => {
              await invocation.refuse(message);
              tell();
            },
            acknowledge: async (mode) => {
              await invocation.acknowledge(mode);
              tell();
            },
          });
        } finally {
          tell();
        }
      };
      return adapter.start({ ...inbox, invoke });
    },
  });
}

/**
 * Writes the positional options in their order, and then the other options with their names. Values with spaces get
 * quotation marks.
 */
function argumentsOf(values: Values, specs: Options): string[] {
  const names = Object.keys(specs).filter((name) => specs[name]?.positional);
  const gap = names.findIndex((name) => values[name] === undefined);
  const inOrder = gap === -1 ? names : names.slice(0, gap);
  const named = Object.keys(values).filter((name) => !inOrder.includes(name));
  return [
    ...inOrder.map((name) => quote(String(values[name]))),
    ...named.map((name) => {
      const value = values[name];
      return typeof value === 'boolean'
        ? `--${name}=${value ? 'yes' : 'no'}`
        : `--${name} ${quote(String(value))}`;
    }),
  ];
}

function quote(value: string): string {
  if (value !== '' && !/[\s"'“”„‘’‚]|^[-—–]/u.test(value)) return value;
  return /["“”„]/u.test(value) ? `'${value}'` : `"${value}"`;
}

function visible(messages: readonly Shown[], texts: Texts): VisibleMessage[] {
  return messages.map(({ ref, message, replyTo, edits }) => ({
    id: ref.message,
    text: texts.of(message),
    buttons: buttonsOf(message),
    ...(replyTo ? { parent: replyTo.message } : {}),
    pings: mentionsOf(message),
    files: filesOf(message).map(({ name, type, bytes }) => ({ name, content: contentOf(type, bytes) })),
    edits,
  }));
}

/** A cache of the texts of messages, because tests read the same messages many times. */
class Texts {
  readonly #read = new WeakMap<Message, string>();

  of(message: Message): string {
    const read = this.#read.get(message) ?? textOf(message);
    this.#read.set(message, read);
    return read;
  }
}

function textOf(message: Message): string {
  return renderMessage(message, {
    color: false,
    columns: undefined,
    now: Date.now(),
    timeZone: 'UTC',
    numberOf: () => undefined,
    placeOf: () => '',
  }).join('\n');
}

function buttonsOf(message: Message): string[] {
  if (message.kind === 'line') return [];
  return message.nodes.flatMap((node) =>
    node.kind === 'buttons'
      ? node.buttons.filter((button) => 'action' in button).map(({ label }) => label)
      : [],
  );
}

function filesOf(message: Message): readonly CardFile[] {
  return message.kind === 'card' ? (message.files ?? []) : [];
}

function mentionsOf(message: Message): string[] {
  const texts: Rich[] =
    message.kind === 'line'
      ? [message.text]
      : [
          message.title,
          ...message.nodes.flatMap((node): readonly Rich[] => {
            if (node.kind === 'text' || node.kind === 'note') return [node.text];
            return node.kind === 'fields' ? node.fields.map(({ value }) => value) : [];
          }),
        ];
  return texts
    .flat()
    .filter(
      (inline): inline is Extract<Inline, { mention: string }> =>
        typeof inline !== 'string' && 'mention' in inline,
    )
    .map(({ mention }) => mention);
}
