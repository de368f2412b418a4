import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createSoleReceiver } from '../../src/adapters/receiving.ts';
import type { Adapter, Inbox, Invocation } from '../../src/chat/port.ts';
import { AppError, ConfigError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import type { Store } from '../../src/store/schema.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { freshDatabase } from '../support/databases.ts';
import { inboxOf } from '../support/inbox.ts';
import { TestClock, until } from '../support/test-clock.ts';

const away = new AppError('discord-unreachable', 'Discord cannot be reached.');
const invocation = { id: 'one' } as Invocation;

let store: Store;

beforeEach(async () => {
  const log = createLog({ level: 'silent', secrets: [] });
  const opened = await openStore(dialectFor(await freshDatabase('postgres'), log));
  onTestFinished(() => opened.destroy());
  store = opened;
});

/**
 * A process with an adapter of a platform where only one process may receive. Only the test moves the time. `starts`
 * says how each start of the adapter ends, one after the other. A start that `hangs` lasts until the adapter is
 * stopped.
 */
async function stage(starts: (Error | 'hangs' | undefined)[] = []) {
  const clock = new TestClock();
  const did: string[] = [];
  const handled: string[] = [];
  const seen: { lost?: AppError; deliver?: Inbox['invoke'] } = {};
  const connection = { healthy: true, asked: 0 };
  let giveUp: ((error: Error) => void) | undefined;
  let shutOut: ((error: AppError) => void) | undefined;
  const adapter = {
    platform: 'discord',
    exclusive: true,
    prepare: async () => void did.push('prepared'),
    async start(inbox: Inbox, lost: (error: AppError) => void, from?: string) {
      const end = starts.shift();
      if (end === 'hangs') {
        did.push('hangs');
        await new Promise((_, reject) => {
          giveUp = reject;
        });
      }
      did.push(end ? 'failed' : `started from ${from ?? 'nowhere'}`);
      if (end) throw end;
      seen.deliver = inbox.invoke;
      shutOut = lost;
    },
    async stop() {
      did.push('stopped');
      giveUp?.(away);
    },
    bookmark: () => 'page 7',
    healthy() {
      connection.asked++;
      return connection.healthy;
    },
  } as unknown as Adapter;
  const log = createLog({ level: 'silent', secrets: [] });
  // The clock of the membership stands still, so the membership is never renewed and never becomes uncertain.
  const membership = new Membership({ store, shared: true, clock: new TestClock(), log });
  await membership.join();
  // The database has its own clock. On a slow machine, this clock would go further than the test allows.
  await store.updateTable('instances').set({ until: 9e15 }).execute();
  const turn = createSoleReceiver({
    adapter,
    leases: waitedFor(clock, new Leases(store, membership, clock)),
    membership,
    clock,
    log,
    inbox: inboxOf(async ({ id }) => void handled.push(id)),
    lost: (error) => {
      seen.lost = error;
    },
    random: () => 0,
  });
  return { turn, clock, did, handled, seen, connection, shutOut: (error: AppError) => shutOut?.(error) };
}

/** Leases whose calls to the database take no time on the test's clock. */
function waitedFor(clock: TestClock, leases: Leases): Leases {
  let open = 0;
  clock.waitFor(() => open > 0);
  const wait = async <T>(work: Promise<T>) => {
    open++;
    return await work.finally(() => open--);
  };
  return {
    hold: (name: string, bookmark?: string) => wait(leases.hold(name, bookmark)),
    bookmark: (name: string) => wait(leases.bookmark(name)),
    release: (name: string, bookmark?: string) => wait(leases.release(name, bookmark)),
  } as Leases;
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Moves the time until the condition holds. */
const soon = ({ clock }: Stage, so: () => boolean, what: string) =>
  until(async () => {
    await clock.advance(100);
    return so();
  }, what);

describe('a platform where only one process may receive commands', () => {
  test("if a process dies just after connecting, the next process resumes at the stored position in the platform's events", async () => {
    const dying = await stage();
    await dying.turn.start();
    await store.updateTable('instances').set({ until: 0 }).execute();
    const next = await stage();
    await next.turn.start();
    await soon(next, () => next.did.length > 0, 'the next process to connect');
    expect(next.did).toContain('started from page 7');
  });

  test('the first process receives commands, and the second process takes over after the first has stopped', async () => {
    const [one, other] = [await stage(), await stage()];
    await one.turn.start();
    await other.turn.start();
    expect([one.turn.role, other.turn.role]).toEqual(['active', 'standby']);
    expect([one.turn.healthy(), other.turn.healthy()]).toEqual([true, true]);
    expect(other.did).toEqual(['prepared']);
    await one.turn.stop();
    await soon(other, () => other.did.length === 2, 'the other to receive');
    expect(one.did).toEqual(['started from nowhere', 'stopped']);
    expect(other.did).toEqual(['prepared', 'started from page 7']);
    await other.turn.stop();
  });

  test('if another process holds the lease, a process that was receiving commands stops and waits in standby', async () => {
    const one = await stage();
    await one.turn.start();
    await store.updateTable('leases').set({ holder: 'other' }).execute();
    await store.insertInto('instances').values({ id: 'other', until: 9e15, started_at: 0 }).execute();
    await soon(one, () => one.turn.role === 'standby', 'it to notice');
    expect(one.did).toEqual(['started from nowhere', 'stopped']);
    await one.seen.deliver?.(invocation);
    expect(one.handled).toEqual([]);
    await store.deleteFrom('instances').where('id', '=', 'other').execute();
    await soon(one, () => one.turn.role === 'active', 'its turn to come again');
    await one.seen.deliver?.(invocation);
    expect(one.handled).toEqual(['one']);
    await one.turn.stop();
  });

  test('a process that cannot connect to the platform lets the next process try, and tries again later', async () => {
    const [one, two, three] = [await stage(), await stage([away]), await stage()];
    for (const { turn } of [one, two, three]) await turn.start();
    await one.turn.stop();
    await soon(two, () => two.did.includes('failed'), 'the second to fail');
    await soon(three, () => three.turn.role === 'active', 'the third to receive');
    await soon(two, () => two.turn.role === 'standby', 'the second to stand by');
    expect(two.turn.healthy()).toBe(false);
    await soon(two, () => two.turn.healthy(), 'the second to look again');
    expect(two.turn.role).toBe('standby');
    await three.turn.stop();
    await soon(two, () => two.did.length === 3, 'the second to receive');
    expect(two.did).toEqual(['prepared', 'failed', 'started from page 7']);
    await two.turn.stop();
  });

  test('a process with wrong settings reports the error and lets the next process receive commands', async () => {
    const wrong = new ConfigError(['DISCORD_TOKEN is wrong']);
    const [one, two, three] = [await stage(), await stage([wrong]), await stage()];
    for (const { turn } of [one, two, three]) await turn.start();
    await one.turn.stop();
    await soon(two, () => two.seen.lost === wrong, 'the second to fail');
    await soon(three, () => three.turn.role === 'active', 'the third to receive');
    expect([two.turn.role, two.turn.healthy()]).toEqual([undefined, false]);
    await three.turn.stop();
  });

  test('a process without a connection to the platform for half a minute lets another process receive the commands', async () => {
    const [one, other] = [await stage(), await stage()];
    await one.turn.start();
    await other.turn.start();
    one.connection.healthy = false;
    const from = one.clock.now();
    await soon(one, () => one.turn.role === 'standby', 'it to stand aside');
    expect(one.clock.now() - from).toBeGreaterThanOrEqual(30_000);
    expect(one.turn.healthy()).toBe(false);
    await soon(other, () => other.did.length === 2, 'the other to receive');
    expect([one.did, other.did]).toEqual([
      ['started from nowhere', 'stopped'],
      ['prepared', 'started from page 7'],
    ]);
    await soon(one, () => one.turn.healthy(), 'it to stand by');
    await other.turn.stop();
    await soon(one, () => one.turn.role === 'active', 'its turn to come again');
    await one.turn.stop();
  });

  test('a process that runs alone reconnects to the platform after half a minute without a connection', async () => {
    const one = await stage([undefined, away]);
    await one.turn.start();
    one.connection.healthy = false;
    await soon(one, () => one.did.length === 4, 'it to receive');
    expect(one.did).toEqual(['started from nowhere', 'stopped', 'failed', 'started from page 7']);
    await one.turn.stop();
  });

  test('a process that reconnects to the platform within half a minute keeps the lease', async () => {
    const one = await stage();
    await one.turn.start();
    for (let time = 0; time < 2; time++) {
      one.connection.healthy = false;
      const from = one.clock.now();
      await soon(one, () => one.clock.now() - from >= 25_000, 'time to pass');
      one.connection.healthy = true;
      const { asked } = one.connection;
      await soon(one, () => one.connection.asked > asked, 'it to look');
    }
    expect(one.did).toEqual(['started from nowhere']);
    await one.turn.stop();
  });

  test('if a connection attempt to the platform hangs, the process gives up the attempt after half a minute', async () => {
    const [one, other] = [await stage(['hangs']), await stage()];
    const started = one.turn.start();
    await soon(one, () => one.did.includes('stopped'), 'it to give up');
    await started;
    expect([one.turn.role, one.turn.healthy()]).toEqual(['standby', false]);
    await other.turn.start();
    await soon(other, () => other.did.includes('started from nowhere'), 'the other to receive');
    await other.turn.stop();
    await one.turn.stop();
  });

  test('if a process cannot start receiving commands, the failure is reported, and another process can start', async () => {
    const one = await stage([away]);
    await expect(one.turn.start()).rejects.toBe(away);
    const other = await stage();
    await other.turn.start();
    expect(other.turn.role).toBe('active');
    await other.turn.stop();
  });

  test('a process that the platform refuses permanently releases the lease', async () => {
    const [one, other] = [await stage(), await stage()];
    await one.turn.start();
    await other.turn.start();
    one.shutOut(away);
    expect(one.seen.lost).toBe(away);
    await soon(other, () => other.turn.role === 'active', 'the other to receive');
    expect(one.turn.healthy()).toBe(false);
    await other.turn.stop();
  });
});
