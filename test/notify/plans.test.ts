import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery, Kysely } from 'kysely';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { enqueue } from '../../src/notify/outbox.ts';
import type { Database } from '../../src/store/schema.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { TestClock } from '../support/test-clock.ts';
import { card, here } from './harness.ts';

test('the database uses an index to find the older edit of a card that a new edit replaces', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const dialect = () => dialectFor(join(folder, 'bot.db'), pino({ level: 'silent' }));
  await (await openStore(dialect())).destroy();
  const asked: CompiledQuery[] = [];
  const store = new Kysely<Database>({ dialect: dialect(), log: ({ query }) => void asked.push(query) });
  onTestFinished(() => store.destroy());
  const target = { ...here, message: 'm1' };
  await enqueue(store, new TestClock(), { kind: 'edit', orderKey: 'd1', target, message: card('Ready') });
  const update = asked.find(({ sql }) => sql.startsWith('update'));
  const plan = CompiledQuery.raw(`explain query plan ${update?.sql}`, [...(update?.parameters ?? [])]);
  const { rows } = await store.executeQuery<{ detail: string }>(plan);
  expect(rows.map(({ detail }) => detail)).toEqual([
    'SEARCH outbox USING INDEX outbox_waiting_order (order_key=? AND id>?)',
  ]);
});
