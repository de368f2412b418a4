import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.ts';
import type { Inbox } from '../../src/chat/port.ts';
import { readConfig } from '../../src/config.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { AT_ONCE } from '../command/harness.ts';
import { most } from '../edgegap/rate-model.ts';
import { MemoryChat } from '../notify/memory-chat.ts';
import { type PacedClock, pacedClock } from '../support/paced-clock.ts';

const AT = { platform: 'memory', workspace: 'w', channel: 'c' };

/** A bot; `ask` resolves once the line of the person with this number was carried out. */
async function openBot(clock: PacedClock, edgegap: Simulator, share: string) {
  const chat = new MemoryChat();
  let inbox: Inbox | undefined;
  const adapter = chat.adapter({
    start: async (given) => {
      inbox = given;
    },
  });
  const app = await buildApp({
    config: readConfig({
      EDGEGAP_API_TOKEN: edgegap.token,
      EDGEGAP_API_URL: edgegap.url,
      EDGEGAP_SHARE: share,
      DATABASE_URL: ':memory:',
      PORT: '0',
    }),
    clock,
    log: pino({ level: 'silent' }),
    access: { memory: { operators: undefined, readers: undefined, readersByDefault: 'operators' } },
    adapters: () => [adapter],
    loopback: true,
  });
  await app.start();
  onTestFinished(() => app.stop());
  return async function ask(number: number, [command = '', ...rest]: readonly string[]): Promise<void> {
    const id = `person-${number}`;
    await inbox?.invoke({
      id,
      adapter,
      at: AT,
      request: { kind: 'command', command, args: { kind: 'text', text: rest.join(' ') } },
      person: async () => ({ id, name: id, home: true, guest: false, admin: true, groups: [] }),
      refuse: async () => undefined,
      acknowledge: async () => undefined,
      respond: async () => undefined,
      respondPrivately: async () => undefined,
      postCard: async (message) => chat.add(message, AT),
      reply: (mode) => ({ id, mode }),
    });
  };
}

test.each([
  ['deploy', '25', 10, 'deploy kart-racing v1.2 --near Montreal', 25],
  ['hosts', '25 %', 2, 'hosts fleet-#', 7],
  ['list', '1', 1, 'list', 4],
] as const)(
  'a burst of %s with EDGEGAP_SHARE=%s: in no second more than %i arrive, and all are carried out',
  async (endpoint, share, limit, line, count) => {
    const clock = pacedClock(2);
    const edgegap = await startSimulator({ clock, ...AT_ONCE });
    onTestFinished(() => edgegap.close());
    const ask = await openBot(clock, edgegap, share);
    await Promise.all(
      Array.from({ length: count }, (_, number) => ask(number, line.replace('#', String(number)).split(' '))),
    );
    const arrivals = edgegap.requests.filter((one) => one.endpoint === endpoint).map(({ at }) => at);
    expect(arrivals.length).toBeGreaterThanOrEqual(count);
    expect(most(arrivals)).toBeLessThanOrEqual(limit);
  },
);
