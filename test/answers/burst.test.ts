import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.ts';
import type { Message } from '../../src/chat/card.ts';
import type { Inbox, MessageRef } from '../../src/chat/port.ts';
import { systemClock as clock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { AT_ONCE } from '../command/harness.ts';
import { MemoryChat } from '../notify/memory-chat.ts';
import { freshDatabase, suiteDatabase } from '../support/databases.ts';
import { pacedClock } from '../support/paced-clock.ts';

const DEPLOYS = 400;
const AT = { platform: 'memory', workspace: 'w', channel: 'c' };
const PERSON = { id: 'ann', name: 'ann', home: true, guest: false, admin: true, groups: [] };

test(`if ${DEPLOYS} people deploy at once, each person gets an acknowledgement, a deployment and a card`, async () => {
  const simulator = await startSimulator({ clock, ...AT_ONCE });
  const chat = new MemoryChat();
  let inbox: Inbox | undefined;
  const adapter = chat.adapter({
    alive: () => true,
    start: async (given) => {
      inbox = given;
    },
  });
  const app = await buildApp({
    config: readConfig({
      EDGEGAP_API_TOKEN: simulator.token,
      EDGEGAP_API_URL: simulator.url,
      DATABASE_URL: await database(),
      PORT: '0',
      CONFIRM_DEPLOY: 'never',
    }),
    clock,
    // The running time depends on the machine, so this test checks only the counts.
    heartbeat: pacedClock(0.05),
    log: pino({ level: 'silent' }),
    access: { memory: { operators: undefined, readers: undefined, readersByDefault: 'operators' } },
    adapters: () => [adapter],
  });
  await app.start();
  onTestFinished(async () => {
    await app.stop();
    await simulator.close();
  });
  const did: string[] = [];
  const said: Message[] = [];
  const ask = async (index: number) => {
    let card: MessageRef | undefined;
    const say = async (message: Message) => void said.push(message);
    await inbox?.invoke({
      id: `burst-${index}`,
      adapter,
      at: AT,
      request: {
        kind: 'command',
        command: 'deploy',
        args: { kind: 'text', text: `kart-racing v1.2 --near Montreal --tag n${index}` },
      },
      person: async () => ({ ...PERSON, id: `person-${index}` }),
      refuse: say,
      acknowledge: async () => void did.push(`acknowledged ${index}`),
      respond: say,
      respondPrivately: say,
      async postCard(message) {
        did.push(`card ${index}`);
        card ??= chat.add(message, AT);
        return card;
      },
      reply: (mode) => ({ id: index, mode }),
    });
  };
  const all = Array.from({ length: DEPLOYS }, (_, index) => index);
  await Promise.all(all.map(ask));
  expect(said).toEqual([]);
  expect(did.toSorted()).toEqual(
    all.flatMap((index) => [`acknowledged ${index}`, `card ${index}`]).toSorted(),
  );
  const deployed = simulator.requests
    .filter(({ endpoint }) => endpoint === 'deploy')
    .map(({ body }) => (body as { tags: string[] }).tags[0]);
  expect(deployed.toSorted()).toEqual(all.map((index) => `n${index}`).toSorted());
  expect(simulator.deployments.size).toBe(DEPLOYS);
}, 120_000);

/** The database is a file, because commits of a database in memory take no time. */
async function database(): Promise<string> {
  if (suiteDatabase === 'postgres') return await freshDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'bot.db');
}
