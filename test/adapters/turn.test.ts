import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Adapter, Invocation } from '../../src/adapters/adapter.ts';
import { createTurn } from '../../src/adapters/turn.ts';
import { AppError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { dialectFor, openStore, type Store } from '../../src/store/store.ts';
import { freshDatabase } from '../support/databases.ts';
import { TestClock, until } from '../support/test-clock.ts';

const away = new AppError('discord.unreachable', 'Discord cannot be reached.');
const invocation = { id: 'one' } as Invocation;

let store: Store;

beforeEach(async () => {
  const log = createLog({ level: 'silent', secrets: [] });
  const opened = await openStore(dialectFor(await freshDatabase('postgres'), log));
  onTestFinished(() => opened.destroy());
  store = opened;
});

/** A process with an adapter that only one may receive by, in time that only the test moves. */
async function stage(failures: (Error | undefined)[] = []) {
  const clock = new TestClock();
  const did: string[] = [];
  const handled: string[] = [];
  const seen: { failed?: unknown; lost?: AppError; deliver?: (one: Invocation) => Promise<void> } = {};
  let shutOut: ((error: AppError) => void) | undefined;
  const adapter = {
    platform: 'discord',
    exclusive: true,
    prepare: async () => void did.push('prepared'),
    async start(handle: (one: Invocation) => Promise<void>, lost: (error: AppError) => void, from?: string) {
      const error = failures.shift();
      did.push(error ? 'failed' : `started from ${from ?? 'nowhere'}`);
      if (error) throw error;
      seen.deliver = handle;
      shutOut = lost;
    },
    stop: async () => void did.push('stopped'),
    bookmark: () => 'page 7',
    healthy: () => true,
  } as unknown as Adapter;
  const log = createLog({ level: 'silent', secrets: [] });
  const membership = new Membership({ store, shared: true, clock, log });
  await membership.join();
  // The database's time goes on by itself, and on a slow machine further than this test means.
  await store.updateTable('instances').set({ until: 9e15 }).where('id', '=', membership.id).execute();
  const turn = createTurn({
    adapter,
    leases: new Leases(store, membership, clock),
    membership,
    clock,
    log,
    handle: async ({ id }) => void handled.push(id),
    lost: (error) => {
      seen.lost = error;
    },
    failed: (error) => {
      seen.failed = error;
    },
    random: () => 0,
  });
  return { turn, clock, did, handled, seen, membership, shutOut: (error: AppError) => shutOut?.(error) };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Moves time on, as the database gets round to answering, until it is so. */
const soon = ({ clock }: Stage, so: () => boolean, what: string) =>
  until(async () => {
    await clock.advance(100);
    return so();
  }, what);

describe('a platform that only one process receives from', () => {
  test('the first receives, the second stands by, and takes over where the first one stopped', async () => {
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

  test('one that finds another in its place stops first, and stands by', async () => {
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

  test('one that takes its turn and cannot receive lets the next one try', async () => {
    const [one, two, three] = [await stage(), await stage([away]), await stage()];
    for (const { turn } of [one, two, three]) await turn.start();
    await one.turn.stop();
    await soon(two, () => two.seen.failed === away, 'the second to fail');
    await soon(three, () => three.turn.role === 'active', 'the third to receive');
    expect([two.turn.role, two.turn.healthy()]).toEqual([undefined, false]);
    // Whoever starts the platforms tries it again.
    await two.turn.start();
    expect(two.turn.role).toBe('standby');
    await two.turn.stop();
    await three.turn.stop();
  });

  test('the first start that fails is told, and its turn is free', async () => {
    const one = await stage([away]);
    await expect(one.turn.start()).rejects.toBe(away);
    const other = await stage();
    await other.turn.start();
    expect(other.turn.role).toBe('active');
    await other.turn.stop();
  });

  test('one that is shut out for good gives its turn back', async () => {
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
