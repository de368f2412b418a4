/** A whole bot, on a chat in memory, in a process of its own. */
import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import type { Message } from '../../src/chat/card.ts';
import type { Inbox, MessageRef } from '../../src/chat/port.ts';
import { systemClock as clock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { MemoryChat } from '../../test/notify/memory-chat.ts';
import { answerParent } from './processes.ts';

const AT = { platform: 'memory', workspace: 'bench', channel: 'bench' };
const PERSON = { id: 'ann', name: 'ann', home: true, guest: false, admin: true, groups: [] };

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
    ...process.env,
    PORT: '0',
    PERSON_REQUESTS: '0',
    // Counted, and never reached.
    MAX_DEPLOYS_PER_HOUR: '100000',
    CONFIRM_DEPLOY: 'never',
  }),
  clock,
  log: pino({ level: 'silent' }),
  access: { memory: { operators: undefined, readers: undefined, readersByDefault: 'operators' } },
  adapters: () => [adapter],
  loopback: true,
});
await app.start();

async function say(id: string, line: string): Promise<void> {
  const [command = '', ...rest] = line.split(' ');
  let answer: MessageRef | undefined;
  const show = (message: Message): MessageRef => {
    answer ??= chat.add(message, AT);
    return answer;
  };
  const respond = async (message: Message): Promise<void> => void show(message);
  await inbox?.invoke({
    id,
    adapter,
    at: AT,
    request: { kind: 'command', command, args: { kind: 'text', text: rest.join(' ') } },
    person: async () => PERSON,
    refuse: respond,
    acknowledge: async () => undefined,
    respond,
    respondPrivately: respond,
    postCard: async (message) => show(message),
    reply: (mode) => ({ id, mode }),
  });
}

answerParent(({ id, tag }) => say(id, `deploy kart-racing v1.2 --near Montreal --tag ${tag}`));
