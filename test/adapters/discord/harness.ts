import { createDiscordAdapter } from '../../../src/adapters/discord/adapter.ts';
import type { Card, Line } from '../../../src/chat/card.ts';
import type { Adapter, Invocation } from '../../../src/chat/port.ts';
import type { Clock } from '../../../src/clock.ts';
import { createDirectory } from '../../../src/command/define.ts';
import { readConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import { createDiscordDriver, type DiscordDriver, groupIds } from '../../support/discord-driver.ts';
import { ids } from '../../support/discord-world.ts';
import { inboxOf } from '../../support/inbox.ts';
import { TestClock } from '../../support/test-clock.ts';

/** The real adapter with the real discord.js, connected to a local Discord. A handler replaces the pipeline. */
export interface Harness {
  readonly driver: DiscordDriver;
  readonly adapter: Adapter;
  readonly clock: TestClock;
  /** The invocations that the adapter passed on, oldest first. */
  readonly invocations: readonly Invocation[];
  last(): Invocation;
  readonly logLines: readonly { level: string; msg: string }[];
  /** The handler that replaces the pipeline. By default, it does nothing. */
  handle: (invocation: Invocation) => Promise<void>;
  close(): Promise<void>;
}

export async function startHarness(environment: Record<string, string> = {}): Promise<Harness> {
  const clock = new TestClock();
  const driver = await createDiscordDriver({ now: () => clock.now() });
  const logLines: { level: string; msg: string }[] = [];
  const adapter = adapterFor(driver, clock, environment, logLines);
  const invocations: Invocation[] = [];
  const harness: Harness = {
    driver,
    adapter,
    clock,
    invocations,
    last() {
      const last = invocations.at(-1);
      if (!last) throw new Error('The adapter handed nothing over');
      return last;
    },
    logLines,
    handle: async () => {},
    async close() {
      await adapter.close();
      await driver.close();
    },
  };
  await adapter.start(
    inboxOf(async (invocation) => {
      invocations.push(invocation);
      await harness.handle(invocation);
    }),
  );
  return harness;
}

export function adapterFor(
  driver: DiscordDriver,
  clock: Clock,
  environment: Record<string, string> = {},
  logLines: { level: string; msg: string }[] = [],
): Adapter {
  const { discord } = readConfig({
    EDGEGAP_API_TOKEN: 'edgegap-token',
    DISCORD_OPERATOR_ROLES: groupIds.operators,
    ...driver.environment,
    ...environment,
  });
  if (!discord) throw new Error('no Discord settings');
  const log = createLog({
    level: 'debug',
    secrets: [],
    destination: { write: (line) => void logLines.push(JSON.parse(line)) },
  });
  const directory = createDirectory([]);
  return createDiscordAdapter({ config: { ...discord, register: false }, clock, log, directory });
}

export const here = { platform: 'discord', workspace: ids.guild, channel: ids.channel } as const;

export function line(text: string): Line {
  return { kind: 'line', tone: 'neutral', text: [text] };
}

export function card(title: string, nodes: Card['nodes'] = [], more: Partial<Card> = {}): Card {
  return { kind: 'card', tone: 'neutral', title: [title], nodes, ...more };
}

export const confirmButtons = {
  kind: 'buttons',
  buttons: [
    { label: 'Stop it', style: 'danger', action: { command: 'stop', action: 'confirm', arg: 'abc' } },
    { label: 'Keep it', style: 'secondary', action: { command: 'stop', action: 'cancel', arg: 'abc' } },
  ],
} as const;
