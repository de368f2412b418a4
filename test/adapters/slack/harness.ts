import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { createSlackAdapter } from '../../../src/adapters/slack/adapter.ts';
import type { Card, Line, Message } from '../../../src/chat/card.ts';
import type { Adapter, Address, Invocation } from '../../../src/chat/port.ts';
import { readConfig, type SlackConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import { inboxOf } from '../../support/inbox.ts';
import { createSlackDriver, type SlackDriver } from '../../support/slack-driver.ts';
import { TestClock, until } from '../../support/test-clock.ts';

export interface Bot {
  readonly adapter: Adapter;
  readonly driver: SlackDriver;
  readonly clock: TestClock;
  readonly invocations: readonly Invocation[];
  readonly logLines: readonly string[];
  readonly url: string;
  readonly team: Address;
  /** Resolves with the invocation with this number, counted from 1, when the adapter has received it. */
  invocation(number: number): Promise<Invocation>;
}

type Handler = (invocation: Invocation) => Promise<void>;

export interface BotOptions {
  readonly mode?: 'socket' | 'http';
  readonly handle?: Handler;
  readonly environment?: (driver: SlackDriver) => Readonly<Record<string, string>>;
  /** Prepares the local Slack before the bot connects. */
  readonly prepare?: (driver: SlackDriver) => void;
}

/**
 * A Slack adapter with a handler instead of the pipeline, connected to a local Slack. The adapter stops at the end of
 * the test.
 */
export async function startBot({
  mode = 'socket',
  handle,
  environment,
  prepare,
}: BotOptions = {}): Promise<Bot> {
  const driver = await createSlackDriver({ mode });
  onTestFinished(async () => {
    await driver.close();
    expect(driver.server.web.refusals).toEqual([]);
  });
  prepare?.(driver);
  const clock = new TestClock();
  const logLines: string[] = [];
  const log = createLog({
    level: 'info',
    secrets: [],
    destination: { write: (line) => logLines.push(line) },
  });
  const config = slackConfig({ ...driver.environment, ...environment?.(driver) });
  const adapter = createSlackAdapter({ config, clock, log });
  const invocations: Invocation[] = [];

  const web = createServer((request, response) =>
    adapter.http ? adapter.http.listener(request, response) : response.writeHead(404).end(),
  );
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    web.closeAllConnections();
    web.close();
  });
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;

  await adapter.start(
    inboxOf(async (invocation) => {
      invocations.push(invocation);
      await handle?.(invocation);
    }),
  );
  onTestFinished(() => adapter.stop());
  await driver.ready({ url });
  const { team, channels } = driver.server.world;
  return {
    adapter,
    driver,
    clock,
    invocations,
    logLines,
    url,
    team: { platform: 'slack', workspace: team, channel: channels.team },
    invocation: (number) => until(() => invocations[number - 1], `invocation ${number}`),
  };
}

export function slackConfig(environment: Readonly<Record<string, string>>): SlackConfig {
  const { slack } = readConfig({ EDGEGAP_API_TOKEN: 'edgegap-token', ...environment });
  if (!slack) throw new Error('No Slack settings');
  return slack;
}

export function line(...text: Line['text']): Line {
  return { kind: 'line', tone: 'neutral', text };
}

export function card(title: string, ...nodes: Card['nodes']): Card {
  return { kind: 'card', tone: 'success', title: [title], nodes };
}

/** A handler that gives these answers to every command. */
export function answering(mode: 'public' | 'private', ...messages: Message[]): Handler {
  return async (invocation) => {
    await invocation.acknowledge(mode);
    for (const message of messages) await invocation.respond(message);
  };
}
