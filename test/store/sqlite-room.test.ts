import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { Callbacks } from '../../src/deployments/callbacks.ts';
import type { Deployments } from '../../src/deployments/deployments.ts';
import { DeploymentRepository } from '../../src/deployments/repository.ts';
import { buildServer } from '../../src/server/server.ts';
import { returnFreeSpace } from '../../src/store/free-space.ts';
import type { Store } from '../../src/store/schema.ts';
import { sqliteDialect } from '../../src/store/sqlite.ts';
import { openStore } from '../../src/store/store.ts';

const MB = 1024 * 1024;

async function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'bot.db');
  const store = await openStore(sqliteDialect(path));
  onTestFinished(() => store.destroy());
  return { path, store };
}

const keep = (store: Store, id: string, bytes: number) =>
  store
    .insertInto('kept')
    .values({ id, value_json: 'x'.repeat(bytes), created_at: 1 })
    .execute();
const kept = async (store: Store) =>
  (await store.selectFrom('kept').select('id').execute()).map(({ id }) => id);

/** Instead of filling the disk, the test limits the size of the file. SQLite reports the same error in both cases. */
const roomFor = (store: Store, pages: number) => sql.raw(`PRAGMA max_page_count=${pages}`).execute(store);

describe('a full disk', () => {
  const full = (path: string) => ({
    code: 'store-full',
    userMessage: 'My database has no room left.',
    problem: `The database ${path} cannot be used: its disk is full.`,
    remedy: expect.stringContaining(`Free space on the volume that holds ${path}`),
  });

  test('if the disk is full, the transaction is rolled back with a plain error, and writes work again when there is room', async () => {
    const { path, store } = await opened();
    await roomFor(store, 100);
    await keep(store, 'small', 100);
    await expect(keep(store, 'large', MB)).rejects.toMatchObject(full(path));
    const begun = store.transaction().execute(async (tx) => {
      await keep(tx, 'first', 100);
      await keep(tx, 'second', MB);
    });
    await expect(begun).rejects.toMatchObject(full(path));
    expect(await kept(store)).toEqual(['small']);
    await keep(store, 'another', 100);
    await roomFor(store, 100_000);
    await store.transaction().execute(async (tx) => {
      await keep(tx, 'first', 100);
      await keep(tx, 'second', MB);
    });
    expect((await kept(store)).toSorted()).toEqual(['another', 'first', 'second', 'small']);
  });

  test('while the disk is full, a callback is answered with 503, and is accepted when there is room again', async () => {
    const { store } = await opened();
    const parts = { store, clock: systemClock, log: pino({ level: 'silent' }) };
    const repository = new DeploymentRepository(store, systemClock);
    const deployments = () => ({}) as Deployments;
    const callbacks = new Callbacks({ ...parts, repository, deployments });
    const server = buildServer({ ...parts, callbacks, mounts: [], readiness: async () => ({ parts: {} }) });
    onTestFinished(() => server.close());
    const url = `http://127.0.0.1:${await server.listen(0)}`;
    const { deployment } = await repository.create({
      account: 'a',
      invocationId: 'i',
      application: 'app',
      version: 'v1',
      plan: { users: [], place: '', tags: [] },
      asker: { id: 'u', name: 'u' },
      at: { platform: 'memory', workspace: 'w', channel: 'c' },
      card: { platform: 'memory', workspace: 'w', channel: 'c', message: '1' },
    });
    const path = `/callbacks/edgegap/ready/${deployment.id}.${deployment.secret}`;
    const callBack = () => fetch(url + path, { method: 'POST', body: 'no secret '.repeat(20 * 1024) });
    await roomFor(store, 1);
    expect((await callBack()).status).toBe(503);
    await roomFor(store, 100_000);
    expect((await callBack()).status).toBe(200);
  });
});

describe('the SQLite file', () => {
  test('the SQLite file becomes smaller after many rows were deleted', async () => {
    const { path, store } = await opened();
    const size = () => statSync(path).size + statSync(`${path}-wal`).size;
    await returnFreeSpace(store);
    const before = size();
    for (let index = 0; index < 9; index++) await keep(store, String(index), MB);
    await returnFreeSpace(store);
    expect(size()).toBeGreaterThan(9 * MB);
    await store.deleteFrom('kept').execute();
    await returnFreeSpace(store);
    expect(size()).toBeLessThan(before + 64 * 1024);
  });

  test('the SQLite file shrinks in a few steps, and other work can run after each step', async () => {
    const { path, store } = await opened();
    const ids = Array.from({ length: 12 }, (_, index) => String(index));
    for (const id of ids) await keep(store, id, MB);
    await store.deleteFrom('kept').where('id', 'in', ids.splice(0, 6)).execute();
    let turn = 0;
    const steps: number[] = [];
    const others: Promise<unknown>[] = [];
    const noted = store.withPlugin({
      transformQuery({ node }) {
        if (node.kind !== 'RawNode' || !node.sqlFragments[0]?.includes('incremental_vacuum')) return node;
        steps.push(turn);
        setImmediate(() => turn++);
        // This row needs more room than one step of the shrinking frees.
        const id = ids.pop();
        if (id) others.push(store.deleteFrom('kept').where('id', '=', id).execute());
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    await returnFreeSpace(noted);
    await Promise.all(others);
    expect(ids).toEqual([]);
    expect(statSync(path).size).toBeLessThan(MB);
    expect(steps.length).toBeLessThan(40);
    expect(new Set(steps).size, 'turns of the event loop').toBe(steps.length);
  });

  test('the write-ahead log of SQLite becomes smaller again after a large transaction', async () => {
    const { path, store } = await opened();
    await store.transaction().execute(async (tx) => {
      for (let index = 0; index < 20; index++) await keep(tx, String(index), MB);
    });
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(20 * MB);
    // These commits write the log back into the file. The next commit then starts the log from its beginning.
    for (const id of ['a', 'b', 'c']) await keep(store, id, 1);
    expect(statSync(`${path}-wal`).size).toBeLessThanOrEqual(16 * MB);
  });
});
