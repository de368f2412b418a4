import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.ts';
import type { ActionRef, Message } from '../../src/chat/card.ts';
import type { AckMode, Address, Inbox, InvocationRequest, MessageRef, Person } from '../../src/chat/port.ts';
import { readConfig } from '../../src/config.ts';
import { defaultCatalog } from '../../src/simulator/catalog.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import { MemoryChat, type Posted, textOf } from '../notify/memory-chat.ts';
import { freshDatabase } from '../support/databases.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

/** Two Edgegap organisations, each with a channel of the people who use the organisation. */
export interface Studio {
  readonly edgegap: Simulator;
  readonly at: Address;
  /** Types a line. Resolves with all messages that the line caused, as JSON. */
  say(line: string): Promise<string>;
  press(action: ActionRef): Promise<string>;
  suggest(command: string, option: string, typed: string): Promise<readonly string[]>;
  /** Deploys. Resolves with the newest request_id when the channel shows `text`. */
  deploy(text?: string): Promise<string>;
  /** Resolves when the channel shows `text`. */
  shown(text: string): Promise<Posted>;
  /** The messages of the channel, as JSON. */
  all(): string;
  /** The requests that the bot made to Edgegap, such as `GET /v1/status/93924761ccde`. */
  asked(): string[];
}

export interface TwoStudios {
  readonly ann: Studio;
  readonly ben: Studio;
  /** Moves ann's channel to ben's account. */
  moveAnn(): void;
  /** Every log line of the bot. */
  readonly log: readonly string[];
}

const ADMIN = { home: true, guest: false, admin: true, groups: [] };
/** The applications of ben's organisation. */
const BENS = [
  { ...defaultCatalog.applications[0], name: 'ben-racing' },
] as typeof defaultCatalog.applications;

/** A bot with two accounts. Ann works in a channel of the first account, and ben works in a channel of the second. */
export async function openTwo(
  options: {
    readonly factor?: number;
    readonly callbacks?: boolean;
    /** Whether the deployments of the two organisations get equal request_ids. */
    readonly sameIds?: boolean;
    readonly simulator?: Partial<SimulatorOptions>;
    readonly commands?: string;
    /** The allowlist of ann's account. */
    readonly annMay?: readonly string[];
  } = {},
): Promise<TwoStudios> {
  const clock = pacedClock(options.factor ?? 60);
  const chat = new MemoryChat(() => clock.now());
  const simulated = (name: string, own: Partial<SimulatorOptions> = {}) => {
    const seed = options.sameIds ? 'edgegap' : name;
    return startSimulator({ clock, token: `${name}-0000-secret-token`, seed, ...own, ...options.simulator });
  };
  const edgegaps = {
    ann: await simulated('ann'),
    ben: await simulated('ben', { catalog: { ...defaultCatalog, applications: BENS } }),
  };
  const log: string[] = [];
  let moved = false;
  let inbox: Inbox | undefined;
  const adapter = chat.adapter({
    start: async (given) => {
      inbox = given;
    },
  });
  const app = await buildApp({
    config: readConfig({
      EDGEGAP_API_TOKEN: 'of-the-settings',
      APP_ALLOWLIST: 'of-the-settings',
      DATABASE_URL: await freshDatabase(),
      PORT: '0',
      CONFIRM_DEPLOY: 'never',
    }),
    clock,
    log: pino({ level: 'debug', base: null }, { write: (text: string) => void log.push(text) }),
    loopback: options.callbacks ?? true,
    access: { memory: { operators: undefined, readers: undefined, readersByDefault: 'operators' } },
    adapters: () => [adapter],
    ...(options.commands ? { commands: options.commands } : {}),
    accounts: {
      all: Object.entries(edgegaps).map(([id, { url, token }]) => ({
        id,
        apiUrl: url,
        token,
        allowlist: id === 'ann' ? options.annMay : undefined,
      })),
      idAt: ({ channel }) => (moved ? 'ben' : channel),
    },
  });
  onTestFinished(async () => {
    await app.stop();
    for (const edgegap of Object.values(edgegaps)) await edgegap.close();
  });
  await app.start();
  let count = 0;

  /**
   * Resolves with the answer to this invocation. The answer has the same text in place of each reference to the log.
   */
  async function invoke(name: string, request: InvocationRequest): Promise<string> {
    const id = `i${++count}`;
    const at = { platform: 'memory', workspace: 'w', channel: name };
    const person: Person = { id: name, name, ...ADMIN };
    const shown: Message[] = [];
    let mode: AckMode | undefined;
    let answer: MessageRef | undefined;
    const post = (message: Message): MessageRef => {
      shown.push(message);
      const found = chat.messages.find(({ ref }) => ref.message === answer?.message);
      if (found) found.message = message;
      else answer = chat.add(message, at);
      return answer as MessageRef;
    };
    const privately = async (message: Message) => void shown.push(message);
    await inbox?.invoke({
      id,
      adapter,
      at,
      request,
      reply: (mode) => ({ id, mode }),
      person: async () => person,
      refuse: privately,
      acknowledge: async (given) => {
        mode = given;
      },
      respond: async (message) => void (mode === 'public' ? post(message) : shown.push(message)),
      respondPrivately: privately,
      postCard: async (message) => post(message),
    });
    return JSON.stringify(shown).replace(/Reference \w+/g, 'Reference');
  }

  function studio(name: 'ann' | 'ben'): Studio {
    const edgegap = edgegaps[name];
    const own = () => chat.messages.filter(({ to }) => to.channel === name);
    const at = { platform: 'memory', workspace: 'w', channel: name };
    const shown = (text: string) =>
      until(
        () => own().findLast(({ message }) => `${textOf(message)} ${JSON.stringify(message)}`.includes(text)),
        () => `a message with ${text}; there are: ${own().map(({ message }) => textOf(message))}`,
      );
    const say = (line: string) => {
      const [command = '', ...rest] = line.split(' ');
      return invoke(name, { kind: 'command', command, args: { kind: 'text', text: rest.join(' ') } });
    };
    return {
      edgegap,
      at,
      say,
      press: (action) => invoke(name, { kind: 'action', action, chosen: [], source: own().at(-1)?.ref }),
      async suggest(command, option, typed) {
        const person = async () => ({ id: name, name, ...ADMIN });
        const asked = { at, command, subcommand: undefined, option, typed, given: {}, person };
        return ((await inbox?.suggest(asked)) ?? []).map(({ value }) => value);
      },
      async deploy(text = 'is ready') {
        const application = name === 'ann' ? 'kart-racing' : 'ben-racing';
        await say(`deploy ${application} v1.2 --near Montreal --tag qa`);
        await shown(text);
        return [...edgegap.deployments.keys()].at(-1) ?? '';
      },
      shown,
      all: () => JSON.stringify(own()),
      asked: () => edgegap.requests.map(({ method, path }) => `${method} ${path}`),
    };
  }
  const moveAnn = () => {
    moved = true;
  };
  return { ann: studio('ann'), ben: studio('ben'), moveAnn, log };
}
