import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { onTestFinished } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import { TestClock, turn } from '../support/test-clock.ts';

/** After this time, with the default durations, a deployment is READY and its callback has arrived. */
export const TO_READY = 10_000;

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
  readonly json: any;
}

interface Receiver {
  readonly url: string;
  /** The paths and bodies of the callbacks, in order of arrival. */
  readonly received: { path: string; text: string }[];
}

/** A simulator with a clock that only the test moves, and functions that send plain HTTP requests to the simulator. */
export async function simulate(options: Partial<SimulatorOptions> = {}) {
  const clock = new TestClock();
  const simulator = await startSimulator({ clock, ...options });
  onTestFinished(() => simulator.close());

  async function call(method: string, path: string, body?: unknown, token?: string): Promise<Reply> {
    const response = await request(simulator.url + path, {
      method: method as 'GET',
      headers: { authorization: token ?? `token ${simulator.token}` },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, text, json: parse(text) };
  }

  async function deploy(other: Record<string, unknown> = {}): Promise<string> {
    const { json } = await call('POST', '/v2/deployments', order(other));
    return json.request_id;
  }

  async function ready(other: Record<string, unknown> = {}): Promise<string> {
    const id = await deploy(other);
    await clock.advance(TO_READY);
    return id;
  }

  return { clock, simulator, call, deploy, ready };
}

/** A valid body of a deploy request. */
export function order(other: Record<string, unknown> = {}): Record<string, unknown> {
  return { application: 'kart-racing', version: 'v1.2', users: [near(45.5, -73.6)], ...other };
}

/** A valid body of a deploy request for the older API (v1). */
export function legacyOrder(other: Record<string, unknown> = {}): Record<string, unknown> {
  return { app_name: 'kart-racing', ip_list: ['203.0.113.9'], ...other };
}

export function near(latitude: number, longitude: number): object {
  return { user_type: 'geo_coordinates', user_data: { latitude, longitude } };
}

/** A server that receives callbacks. With `silent`, the server never answers. */
export async function receive({ silent = false } = {}): Promise<Receiver> {
  const received: Receiver['received'] = [];
  const server: Server = createServer((incoming, response) => {
    let text = '';
    incoming.on('data', (chunk) => {
      text += chunk;
    });
    incoming.on('end', () => {
      received.push({ path: incoming.url ?? '', text });
      if (!silent) response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

export function hooks(receiver: Receiver): Record<string, object> {
  return {
    webhook_on_ready: { url: `${receiver.url}/ready` },
    webhook_on_error: { url: `${receiver.url}/error` },
    webhook_on_terminated: { url: `${receiver.url}/terminated` },
  };
}

/** Waits until the simulator has received this many requests, so that the test does not move the clock too early. */
export async function arrived(simulator: Simulator, count: number): Promise<void> {
  while (simulator.requests.length < count) await turn(1);
  await turn();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
