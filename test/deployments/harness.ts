import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.ts';
import type { Message } from '../../src/chat/card.ts';
import type { AckMode, Inbox, InvocationRequest, MessageRef, Person } from '../../src/chat/port.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import { MemoryChat, type Posted, textOf } from '../notify/memory-chat.ts';
import { mortalDatabase } from '../support/databases.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

const HERE = { platform: 'memory', workspace: 'w', channel: 'general' };

/** A run of the bot, from its start until it stops or is killed. */
export interface Run {
  readonly url: string;
  readonly log: readonly string[];
  /**
   * Types the line, and resolves when the bot has answered. `id` is the platform's id of the invocation. A repeated
   * request has the same id.
   */
  say(line: string, person?: string, id?: string): Promise<void>;
  /** Presses the newest button with this label. */
  press(label: string, person?: string, id?: string): Promise<void>;
  stop(): Promise<void>;
  /** Kills the bot at once. A killed bot sends and writes nothing. */
  kill(): void;
}

export interface Studio {
  readonly chat: MemoryChat;
  readonly simulator: Simulator;
  /** The private messages to each person. */
  readonly privately: string[];
  /** The time of the studio's clock, which runs fast. */
  now(): number;
  run(environment?: Record<string, string>): Promise<Run>;
  /** Resolves with the newest message that has this text, when there is such a message. */
  shown(text: string | RegExp): Promise<Posted>;
  /** The number of messages that have this text now. */
  count(text: string | RegExp): number;
  /** The number of requests to Edgegap's deploy endpoint so far. */
  deploys(): number;
  /** The callback URLs in the newest deploy that Edgegap received. */
  webhooks(): { ready: string; error: string; terminated: string };
  /** The body of a callback about the newest deployment. */
  body(changes?: Record<string, unknown>): Promise<Record<string, unknown>>;
}

export const DEPLOY = 'deploy kart-racing v1.2 --near Montreal --tag qa';
/** With these durations, a deployment keeps its status until the test changes it. */
export const STILL = { deploying: 24 * 60 * 60_000 };

/** A chat, a simulated Edgegap and a public address. They keep running while one bot ends and the next bot starts. */
export async function openStudio(
  options: {
    readonly factor?: number;
    readonly simulator?: Partial<SimulatorOptions>;
    readonly callbacks?: boolean;
    /** Changes the studio's clock into the clock that the bots use. */
    readonly watched?: (clock: Clock) => Clock;
  } = {},
): Promise<Studio> {
  const { watched = (clock) => clock } = options;
  const clock = pacedClock(options.factor ?? 60);
  const simulator = await startSimulator({ clock, ...options.simulator });
  const chat = new MemoryChat(() => clock.now());
  const live = await mortalDatabase(clock);
  const privately: string[] = [];
  const runs: { stop(): Promise<void> }[] = [];
  let current: string | undefined;
  let count = 0;

  const door = createServer(async (request, response) => {
    if (current === undefined) return void request.socket.destroy();
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const answer = await fetch(`${current}${request.url}`, {
        method: request.method ?? 'POST',
        body: Buffer.concat(chunks),
      });
      response.writeHead(answer.status).end(await answer.text());
    } catch {
      // If the bot or the sender has ended in the meantime, the connection breaks, as it does behind any proxy.
      request.socket.destroy();
    }
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const publicUrl = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;

  onTestFinished(async () => {
    current = undefined;
    for (const run of runs) await run.stop();
    await simulator.close();
    door.closeAllConnections();
    await new Promise((resolve) => door.close(resolve));
  });

  /** The clock of a bot. After the bot has been killed, its timers do not fire. */
  function mortalClock(isAlive: () => boolean) {
    const held: (() => void)[] = [];
    let over = false;
    const mortal: Clock = {
      now: () => clock.now(),
      after: (ms, run) => clock.after(ms, () => void (isAlive() || over ? run() : held.push(run))),
    };
    return {
      clock: mortal,
      release() {
        over = true;
        for (const run of held.splice(0)) run();
      },
    };
  }

  async function run(environment: Record<string, string> = {}): Promise<Run> {
    const life = await live();
    let alive = true;
    const timers = mortalClock(() => alive);
    let inbox: Inbox | undefined;
    const log: string[] = [];
    const adapter = chat.adapter({
      alive: () => alive,
      start: async (given) => {
        inbox = given;
      },
    });
    const app = await buildApp({
      config: readConfig({
        EDGEGAP_API_TOKEN: simulator.token,
        EDGEGAP_API_URL: simulator.url,
        DATABASE_URL: life.url,
        PORT: '0',
        ...(options.callbacks === false ? {} : { PUBLIC_URL: publicUrl }),
        ...environment,
      }),
      clock: watched(timers.clock),
      heartbeat: watched(systemClock),
      log: pino({ level: 'debug', base: null }, { write: (text: string) => void log.push(text) }),
      access: { memory: { operators: undefined, readers: undefined, readersByDefault: 'operators' } },
      adapters: () => [adapter],
    });
    const { port } = await app.start();
    const url = `http://127.0.0.1:${port}`;
    current = url;
    let stopped: Promise<void> | undefined;
    const stop = () => {
      timers.release();
      stopped ??= app.stop();
      return stopped;
    };
    // A killed bot may fail to stop, so errors of its stop are ignored.
    runs.push({ stop: () => stop().catch((error: unknown) => (alive ? Promise.reject(error) : undefined)) });

    async function invoke(request: InvocationRequest, name: string, id = `i${++count}`): Promise<void> {
      const person: Person = { id: name, name, home: true, guest: false, admin: true, groups: [] };
      let mode: AckMode | undefined;
      let answer: MessageRef | undefined;
      const show = (message: Message): MessageRef => {
        const found = chat.messages.find(({ ref }) => ref.message === answer?.message);
        if (found) found.message = message;
        else answer = chat.add(message, HERE);
        return answer as MessageRef;
      };
      const respond = async (message: Message) => {
        if (!alive) return;
        if (mode === 'public') show(message);
        else privately.push(textOf(message));
      };
      await inbox?.invoke({
        id,
        adapter,
        at: HERE,
        request,
        reply: (mode) => ({ id, mode }),
        person: async () => person,
        refuse: respond,
        acknowledge: async (given) => {
          mode = given;
        },
        respond,
        respondPrivately: async (message) => void (alive && privately.push(textOf(message))),
        postCard: async (message) => (mode === 'public' ? show(message) : chat.add(message, HERE)),
      });
    }
    return {
      url,
      log,
      async say(line, person = 'ann', id) {
        const [command = '', ...rest] = line.split(' ');
        await invoke({ kind: 'command', command, args: { kind: 'text', text: rest.join(' ') } }, person, id);
      },
      async press(label, person = 'ann', id) {
        const found = chat.messages
          .flatMap(({ message, ref }) =>
            (message.kind === 'card' ? message.nodes : [])
              .flatMap((node) => (node.kind === 'buttons' ? node.buttons : []))
              .flatMap((button) =>
                'action' in button && button.label === label ? [{ action: button.action, ref }] : [],
              ),
          )
          .at(-1);
        if (!found) throw new Error(`There is no button ${label} on: ${chat.texts.join('; ')}`);
        await invoke({ kind: 'action', action: found.action, chosen: [], source: found.ref }, person, id);
      },
      async stop() {
        current = undefined;
        await stop();
      },
      kill() {
        alive = false;
        current = undefined;
        life.end();
      },
    };
  }

  const has = (text: string | RegExp) => (message: Posted) => {
    const all = `${textOf(message.message)} ${JSON.stringify(message.message)}`;
    return typeof text === 'string' ? all.includes(text) : text.test(all);
  };
  return {
    chat,
    simulator,
    privately,
    now: () => clock.now(),
    run,
    shown: (text) =>
      until(
        () => chat.messages.findLast(has(text)),
        () => `a message with ${text}; there are: ${chat.texts.join('; ')}`,
      ),
    count: (text) => chat.messages.filter(has(text)).length,
    deploys: () => simulator.requests.filter(({ endpoint }) => endpoint === 'deploy').length,
    webhooks() {
      const sent = simulator.requests.findLast(({ endpoint }) => endpoint === 'deploy')?.body as Record<
        string,
        { url: string }
      >;
      return {
        ready: sent.webhook_on_ready?.url ?? '',
        error: sent.webhook_on_error?.url ?? '',
        terminated: sent.webhook_on_terminated?.url ?? '',
      };
    },
    async body(changes = {}) {
      const id = [...simulator.deployments.keys()].at(-1);
      const answer = await fetch(`${simulator.url}/v1/status/${id}`, {
        headers: { authorization: `token ${simulator.token}` },
      });
      return { ...((await answer.json()) as Record<string, unknown>), ...changes };
    },
  };
}

/** Sends a callback like Edgegap. Resolves with the status of the answer. */
export async function callBack(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  await answer.text();
  return answer.status;
}
