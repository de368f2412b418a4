import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { contentOf } from './chat-driver.ts';
import { Gateway } from './discord-gateway.ts';
import { interactionJson } from './discord-interactions.ts';
import type { Upload } from './discord-messages.ts';
import { Rest, type RestRequest, type RestResponse } from './discord-rest.ts';
import { violationOf } from './discord-schemas.ts';
import {
  ApiProblem,
  allowedToPost,
  type StoredInteraction,
  type StoredMessage,
  type User,
} from './discord-world.ts';

/** A fault that affects the next matching requests. */
export interface Fault {
  /** The pattern for `METHOD /path`, in which the path begins after `/api/v10`. */
  readonly on: RegExp;
  /** The number of requests that the fault affects. If absent, 1. */
  readonly times?: number;
  /** Whether the request takes effect before the fault. */
  readonly afterEffect?: boolean;
  /** The number of milliseconds until the answer or the fault. */
  readonly delayMs?: number;
  /**
   * `reset` breaks the connection. `closed` closes the connection. `cut` closes the connection in the middle of the
   * answer. `broken` sends JSON that stops in the middle. `right` sends the right answer, but late.
   */
  readonly answer:
    | 'reset'
    | 'closed'
    | 'cut'
    | 'broken'
    | 'right'
    | {
        readonly status: number;
        readonly body?: unknown;
        readonly headers?: Readonly<Record<string, string>>;
      };
}

export interface DiscordServerOptions {
  /** The host name in the address that the bot uses for this server. Only a proxy can resolve the name. */
  readonly host?: string;
  /** Returns the time in epoch milliseconds. If absent, this machine's clock is used. */
  readonly now?: () => number;
  /** How long an interaction waits for its first response, in milliseconds of `now`. If absent, 3 s. */
  readonly responseMs?: number;
  /** Called for every request (`METHOD /path`) without a planned fault. May return a fault. */
  readonly chance?: (line: string) => Omit<Fault, 'on'> | undefined;
}

export interface ReceivedRequest extends RestRequest {
  readonly status: number;
}

/** A local Discord with REST API and gateway on a single port. It checks every request. */
export interface DiscordServer {
  /** The value for DISCORD_API_URL. */
  readonly apiUrl: string;
  readonly rest: Rest;
  readonly gateway: Gateway;
  /**
   * The bot's requests that violate Discord's specification or rules. At the end of a test, this list must be empty.
   */
  readonly violations: readonly string[];
  readonly requests: readonly ReceivedRequest[];
  /** The type of the team's channel. 0 is a text channel, and 11 is a thread. */
  channelType: number;
  fault(fault: Fault): void;
  /** Simulates that a person types a slash command. */
  command(user: User, name: string, options: readonly object[]): StoredInteraction;
  /** Simulates that a person chooses a command from the menu "Apps" of a message. */
  onMessage(user: User, message: StoredMessage, name: string): StoredInteraction;
  /** Simulates that a person presses the button with this custom id. */
  press(user: User, message: StoredMessage, customId: string): StoredInteraction;
  /** Simulates that a person chooses a value from the menu with this custom id. */
  choose(user: User, message: StoredMessage, customId: string, value: string): StoredInteraction;
  /** Simulates that a person is typing a command. The option in progress has the field `focused`. */
  complete(user: User, name: string, options: readonly object[]): StoredInteraction;
  /** Simulates that a person submits the form that this interaction opened. */
  submit(opener: StoredInteraction, user: User, values: Readonly<Record<string, string>>): StoredInteraction;
  /** Sends the same interaction once more, as the gateway may do after a resume. */
  redeliver(interaction: StoredInteraction): void;
  close(): Promise<void>;
}

export async function startDiscordServer(options: DiscordServerOptions = {}): Promise<DiscordServer> {
  const now = options.now ?? Date.now;
  const violations: string[] = [];
  const requests: ReceivedRequest[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      violations.push(`the local Discord failed: ${error instanceof Error ? error.stack : error}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = options.host ?? '127.0.0.1';
  const gatewayUrl = () => `ws://${host}:${port}/gateway`;
  const gateway = new Gateway(server, gatewayUrl);
  const rest = new Rest(now, allowedToPost, gatewayUrl, options.responseMs);
  const dispatched = new Map<string, object>();

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(incoming);
    const violation = violationOf(request.method, request.path, request.body);
    if (violation) violations.push(violation);
    const fault = takeFault(`${request.method} ${request.path}`);
    const done = !fault || fault.afterEffect || fault.answer === 'right' ? answer(request) : undefined;
    requests.push({ ...request, status: done?.status ?? 0 });
    if (fault?.delayMs) await setTimeout(fault.delayMs);
    if (fault?.answer === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (fault?.answer === 'closed') {
      incoming.socket.end();
      return;
    }
    if (fault?.answer === 'cut') {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': 1000 });
      response.write('{"id": "4', () => incoming.socket.end());
      return;
    }
    if (fault?.answer === 'broken') {
      response.writeHead(200, JSON_TYPE).end('{"id": "4');
      return;
    }
    const { status, body, headers } = {
      headers: {},
      body: undefined,
      ...((fault?.answer === 'right' ? done : fault?.answer) ?? done ?? { status: 500 }),
    };
    response.writeHead(status, { ...(body === undefined ? {} : JSON_TYPE), ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  function answer(request: RestRequest): RestResponse {
    try {
      return rest.handle(request);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.code === 50035) violations.push(`${request.method} ${request.path}: ${error.message}`);
      return { status: error.status, body: { code: error.code, message: error.message } };
    }
  }

  function takeFault(line: string): Omit<Fault, 'on'> | undefined {
    const found = faults.find(({ fault, left }) => left > 0 && fault.on.test(line));
    if (!found) return options.chance?.(line);
    found.left -= 1;
    return found.fault;
  }

  function dispatch(interaction: StoredInteraction, data: { type: number; data: object; message?: object }) {
    const bot = { permissions: rest.botPermissions, channelType: api.channelType };
    const event = interactionJson(interaction, data, bot);
    dispatched.set(interaction.id, event);
    gateway.dispatch('INTERACTION_CREATE', event);
    return interaction;
  }

  const api: DiscordServer = {
    apiUrl: `http://${host}:${port}/api`,
    rest,
    gateway,
    violations,
    requests,
    channelType: 0,
    fault: (fault) => void faults.push({ fault, left: fault.times ?? 1 }),
    command(user, name, commandOptions) {
      const known = rest.commands.list(user.guild).find((one) => one.name === name && one.type === 1);
      const of = known ? { id: known.id, guild_id: user.guild } : { id: rest.messages.snowflake() };
      return dispatch(rest.interactions.create(user), {
        type: 2,
        data: { ...of, name, type: 1, ...(commandOptions.length > 0 ? { options: commandOptions } : {}) },
      });
    },
    onMessage(user, message, name) {
      const id = rest.messages.snowflake();
      const resolved = { messages: { [message.id]: rest.messages.toJson(message) } };
      return dispatch(rest.interactions.create(user), {
        type: 2,
        data: { id, name, type: 3, target_id: message.id, resolved },
      });
    },
    press(user, message, customId) {
      return dispatch(rest.interactions.create(user, message), {
        type: 3,
        data: { component_type: 2, custom_id: customId, id: 1 },
        message: rest.messages.toJson(message),
      });
    },
    choose(user, message, customId, value) {
      return dispatch(rest.interactions.create(user, message), {
        type: 3,
        data: { component_type: 3, custom_id: customId, id: 1, values: [value] },
        message: rest.messages.toJson(message),
      });
    },
    complete(user, name, commandOptions) {
      const id = rest.messages.snowflake();
      const data = { id, name, type: 1, options: commandOptions };
      return dispatch(rest.interactions.create(user, undefined, 'typing'), { type: 4, data });
    },
    submit({ modal, source }, user, values) {
      if (!modal) throw new Error('No form is open');
      const components = modal.components.map(({ component }, index) => {
        const { type = 0, custom_id = '' } = component ?? {};
        const value = values[custom_id];
        const held = type === 3 ? { values: value === undefined ? [] : [value] } : { value: value ?? '' };
        return { type: 18, id: index + 1, component: { type, id: index + 10, custom_id, ...held } };
      });
      return dispatch(rest.interactions.create(user, source, 'modal'), {
        type: 5,
        data: { custom_id: modal.custom_id, components },
        ...(source ? { message: rest.messages.toJson(source) } : {}),
      });
    },
    redeliver: ({ id }) => gateway.dispatch('INTERACTION_CREATE', dispatched.get(id)),
    async close() {
      gateway.close();
      await stop(server);
    },
  };
  return api;
}

const JSON_TYPE = { 'content-type': 'application/json' };

async function read(incoming: IncomingMessage): Promise<RestRequest> {
  const url = new URL(incoming.url ?? '/', 'http://local');
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const type = incoming.headers['content-type'] ?? '';
  const request = {
    method: incoming.method ?? 'GET',
    path: decodeURIComponent(url.pathname).replace(/^\/api\/v10/, ''),
    query: url.searchParams,
    authorization: incoming.headers.authorization,
  };
  if (!type.startsWith('multipart/'))
    return { ...request, body: raw.length > 0 ? JSON.parse(raw.toString()) : undefined, uploads: [] };
  const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData();
  const uploads: Upload[] = [];
  for (const [field, value] of form.entries()) {
    if (typeof value === 'string') continue;
    const index = Number(/^files\[(\d+)\]$/.exec(field)?.[1] ?? Number.NaN);
    uploads.push({ index, name: value.name, content: contentOf(value.type, await value.arrayBuffer()) });
  }
  return { ...request, body: JSON.parse(String(form.get('payload_json') ?? 'null')), uploads };
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
