import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { PACE_MS } from '../src/adapters/discord/limits.ts';
import type { Line, Message } from '../src/chat/card.ts';
import type { Adapter, Address } from '../src/chat/port.ts';
import { systemClock as clock, sleep } from '../src/clock.ts';
import { DeliveryError } from '../src/errors.ts';
import { createOutboxWorker } from '../src/notify/worker.ts';
import { Membership } from '../src/replicas/membership.ts';
import { sqliteDialect } from '../src/store/sqlite.ts';
import { openStore } from '../src/store/store.ts';
import { MemoryChat } from '../test/notify/memory-chat.ts';
import type { Bench } from './support/bench.ts';
import { startLoader } from './support/load.ts';
import { openReceiver } from './support/receiver.ts';

const DEPLOYMENTS = 1_000;
const DELIVERED = 100_000;
/** Discord accepts about 5 messages per channel in 5 seconds, and the same number of edits. */
const BURST = 5;
const WINDOW_MS = 5_000;
const ANSWER_MS = 150;
/** The number of connections over which Edgegap sends callbacks concurrently. */
const CONNECTIONS = 64;

export const bench: Bench = {
  about:
    '1,000 deployments turn ready at once in one channel: from the first callback until each line has been shown, against what Discord’s limit allows for so many messages.',
  bar: { atMost: 1.1 },
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const log = pino({ level: 'silent' });
    const store = await openStore(sqliteDialect(join(folder, 'bench.db')));
    const membership = new Membership({ store, shared: false, clock, log });
    await membership.join();
    const chat = new MemoryChat(() => clock.now());
    const inner = chat.adapter();
    let refused = 0;
    const limited = (): (() => Promise<void>) => {
      let taken: number[] = [];
      return async () => {
        const now = clock.now();
        taken = taken.filter((at) => at > now - WINDOW_MS);
        if (taken.length >= BURST) {
          refused++;
          throw new DeliveryError('bench.429', 'Too many.', {
            outcome: 'not-sent',
            retryable: true,
            retryAfterMs: (taken[0] ?? now) + WINDOW_MS - now,
          });
        }
        taken.push(now);
        await sleep(clock, ANSWER_MS);
      };
    };
    const [mayPost, mayEdit] = [limited(), limited()];
    const adapter: Adapter = {
      ...inner,
      paceMs: PACE_MS,
      post: (to, outgoing) => mayPost().then(() => inner.post(to, outgoing)),
      edit: (ref, message) => mayEdit().then(() => inner.edit(ref, message)),
    };
    const receiver = await openReceiver(store, log);
    const loader = startLoader();
    const worker = createOutboxWorker({ store, membership, adapters: [adapter], clock, log });
    try {
      const at: Address = { platform: 'memory', workspace: 'w', channel: 'general' };
      const now = clock.now();
      await store.transaction().execute(async (tx) => {
        for (let n = 0; n < DELIVERED; n += 100) {
          const rows = Array.from({ length: 100 }, (_, index) => ({
            order_key: `old${n + index}`,
            ...at,
            kind: 'post',
            message_json: JSON.stringify(line(n)),
            also_to_channel: 0,
            urgent: 0,
            key: `old${n + index}`,
            state: 'sent',
            uncertain: 0,
            attempts: 1,
            next_at: now,
            created_at: now,
          }));
          await tx.insertInto('outbox').values(rows).execute();
        }
      });
      const { ids, posts } = await receiver.deployed(DEPLOYMENTS, (n) => {
        const card = chat.add({ kind: 'card', tone: 'progress', title: [`Server ${n}`], nodes: [] }, at);
        return { ...at, card_json: JSON.stringify(card) };
      });
      const wanted = new Set(ids);
      const shown = () => chat.messages.slice(DEPLOYMENTS);
      await worker.start();
      const startedAt = clock.now();
      await loader.run({ origin: receiver.origin, connections: CONNECTIONS, posts });
      const limit = startedAt + 10 * DEPLOYMENTS * 1_000;
      const told = () => shown().reduce((sum, { message }) => sum + names(message, wanted), 0);
      while (told() < DEPLOYMENTS && clock.now() < limit) await sleep(clock, 250);
      const messages = shown().length;
      const tookMs = (shown().at(-1)?.at ?? limit) - startedAt;
      // The first five messages are sent at once. After that, one message is sent each second.
      const allowedMs = Math.max(1, messages - BURST) * (WINDOW_MS / BURST);
      const alone = (DEPLOYMENTS - BURST) * (WINDOW_MS / BURST);
      print(`${DEPLOYMENTS} callbacks, lines and edits of cards, beside ${DELIVERED} delivered rows`);
      print(`with the digest: ${messages} messages, all told after ${seconds(tookMs)}`);
      print(`what the limit allows for them: ${seconds(allowedMs)} (5 in 5 s a channel)`);
      print(`without it: ${DEPLOYMENTS} messages, at the earliest after ${seconds(alone)}`);
      const wrong = [
        ...(told() === DEPLOYMENTS ? [] : [`${told()} of ${DEPLOYMENTS} were told`]),
        ...(refused === 0 ? [] : [`${refused} requests were over the limit`]),
      ];
      return { ratio: tookMs / allowedMs, wrong };
    } finally {
      await loader.close();
      await receiver.close();
      await worker.stop();
      await store.destroy();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function line(n: number): Line {
  return {
    kind: 'line',
    tone: 'success',
    text: [
      { mention: '500000000000000006', name: 'Olga' },
      ' ',
      { bold: 'kart-racing v1.2' },
      ' ',
      { code: `request${n}` },
      ' is ready: ',
      { code: `${n}.pr.edgegap.net:31500` },
    ],
  };
}

/** Returns how many of the deployments `ids` a message names. */
function names(message: Message, ids: ReadonlySet<string>): number {
  if (message.kind !== 'line') return 0;
  const codes = message.text.flatMap((part) =>
    typeof part === 'object' && 'code' in part ? [part.code] : [],
  );
  return new Set(codes).intersection(ids).size;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
