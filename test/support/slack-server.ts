import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { contentOf } from './chat-driver.ts';
import { type SlackFault, SlackFaults } from './slack-faults.ts';
import { type Ephemeral, ResponseUrls } from './slack-response-urls.ts';
import { SlackSocket } from './slack-socket.ts';
import { SlackWebApi, type WebRequest } from './slack-web-api.ts';
import { createSlackWorld, type SlackWorld } from './slack-world.ts';

/** A local Slack with Web API, response_urls, uploads and Socket Mode. */
export interface SlackServer {
  readonly world: SlackWorld;
  readonly web: SlackWebApi;
  readonly urls: ResponseUrls;
  readonly socket: SlackSocket;
  readonly faults: SlackFaults;
  /** Every Web API request, including failed requests. The name `response_url` stands for a post to a response_url. */
  readonly requests: readonly WebRequest[];
  /** The content of uploaded files (`contentOf`), by id. */
  readonly uploads: ReadonlyMap<string, string>;
  /** The value for SLACK_API_URL. */
  readonly apiUrl: string;
  readonly origin: string;
  readonly ephemerals: readonly Ephemeral[];
  close(): Promise<void>;
}

export interface SlackServerOptions {
  /** The host name in the address that the bot uses for this server. Only a proxy can resolve the name. */
  readonly host?: string;
  /** Called for every request without a planned fault. The name `response_url` stands for a post to a response_url. */
  readonly chance?: (method: string) => SlackFault | undefined;
  /** Converts a time of the bot's clock into a time of this machine's clock. Both are in epoch milliseconds. */
  readonly toOwnTime?: (ms: number) => number;
}

export async function startSlackServer(options: SlackServerOptions = {}): Promise<SlackServer> {
  const world = await createSlackWorld();
  let origin = '';
  const urls = new ResponseUrls(world);
  const web = new SlackWebApi(world, urls, () => origin, options.toOwnTime);
  const socket = new SlackSocket();
  const faults = new SlackFaults(options.chance);
  const requests: WebRequest[] = [];
  const uploads = new Map<string, string>();

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '', 'http://local').pathname;
    if (path.startsWith('/upload/v1/')) return await upload(path, request, response);
    const body = await text(request);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const name = path.startsWith('/actions/') ? 'response_url' : path.slice('/api/'.length);
    const webRequest = { method: name, params: name === 'response_url' ? { body } : formOf(body), token };
    requests.push(webRequest);
    const fault = faults.take(name);
    if (fault && failBefore(fault, response)) return;
    const answer = name === 'response_url' ? await postToUrl(path, body) : await callApi(webRequest);
    if (fault?.kind === 'slow') await setTimeout(fault.ms);
    if (fault && fault.kind !== 'slow') failAfter(fault, response);
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async function callApi(request: WebRequest) {
    const answer = await web.answer(request);
    return {
      status: 200,
      headers: { 'content-type': 'application/json', ...web.headers() },
      body: JSON.stringify(answer),
    };
  }

  async function postToUrl(path: string, body: string) {
    const { status, body: said, shown } = await urls.post(path, body);
    if (shown) web.answered(path, shown, JSON.parse(body));
    return { status, headers: {}, body: said };
  }

  async function upload(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = new Uint8Array(await buffer(request));
    requests.push({ method: 'upload', params: {}, token: undefined });
    const fault = faults.take('upload');
    if (fault && failBefore(fault, response)) return;
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const form = await new Response(bytes, { headers }).formData();
    for (const value of form.values())
      if (typeof value !== 'string')
        uploads.set(path.slice('/upload/v1/'.length), contentOf(value.type, await value.arrayBuffer()));
    const answer = await fetch(`${world.url}${path}`, { method: 'POST', headers, body: bytes });
    response.writeHead(answer.status).end(await answer.text());
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.on('upgrade', (request, connection, head) => socket.upgrade(request, connection, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://${options.host ?? '127.0.0.1'}:${(server.address() as AddressInfo).port}`;

  return {
    world,
    web,
    urls,
    socket,
    faults,
    requests,
    uploads,
    apiUrl: `${origin}/api`,
    origin,
    ephemerals: urls.ephemerals,
    async close() {
      socket.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await world.close();
    },
  };
}

/** Returns true if a fault ended the request without any effect. */
function failBefore(fault: SlackFault, response: ServerResponse): boolean {
  if (fault.kind === 'error') {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ok: false, error: fault.error }));
    return true;
  }
  if (fault.kind === 'rate-limit') {
    response
      .writeHead(429, { 'retry-after': String(fault.retryAfter) })
      .end(JSON.stringify({ ok: false, error: 'ratelimited' }));
    return true;
  }
  if (fault.kind === 'slow' || fault.kind === 'broken' || fault.when === 'after') return false;
  failAfter(fault, response);
  return true;
}

function failAfter(fault: SlackFault, response: ServerResponse): void {
  if (fault.kind === 'status') response.writeHead(fault.status).end();
  else if (fault.kind === 'broken')
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":tr');
  else response.socket?.destroy();
}

function formOf(body: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body));
}
