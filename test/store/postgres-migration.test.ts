import { sql } from 'kysely';
import { Client } from 'pg';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { postgresDialect } from '../../src/store/postgres.ts';
import type { Store } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';
import { freshDatabase } from '../support/databases.ts';
import { PoolingProxy } from '../support/pooling-proxy.ts';
import { administer } from '../support/postgres-server.ts';
import { until } from '../support/test-clock.ts';

const PATIENCE_MS = 2_000;
const WAITING = 'store: another process changes the schema of the database: waiting for it';

async function opened(url: string, lines: string[] = []): Promise<Store> {
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const store = await openStore(postgresDialect(url, log, { patienceMs: PATIENCE_MS }));
  onTestFinished(() => store.destroy());
  return store;
}

const migrated = async (store: Store) =>
  (await sql`select name from kysely_migration order by name`.execute(store)).rows.length;

/** Creates an empty database in which a migration of the schema takes longer than the time limit of a statement. */
async function slow(): Promise<string> {
  const database = await freshDatabase('postgres', { empty: true });
  // The server's own time limit is too long for a test. So the test checks only that the limit is off.
  await administer(
    database,
    `create function slow() returns event_trigger language plpgsql as $$ begin
       if current_setting('statement_timeout') <> '0' then raise exception 'a limit'; end if;
       if tg_tag = 'ALTER TABLE' and current_setting('test.slept', true) is distinct from 'yes' then
         perform set_config('test.slept', 'yes', true);
         perform pg_sleep(${(PATIENCE_MS / 1_000) * 1.5});
       end if;
     end $$;
     create event trigger slow on ddl_command_start execute function slow()`,
  );
  return database;
}

test('a slow migration of the PostgreSQL schema is completed, and processes that start in the meantime wait', async () => {
  const proxy = await PoolingProxy.before(await slow(), 2);
  onTestFinished(() => proxy.close());
  const stores = await Promise.all([1, 2, 3].map(() => opened(proxy.url)));
  for (const store of stores) expect(await migrated(store)).toBeGreaterThan(0);
  expect(proxy.violations).toEqual([]);
});

test('a process that waits for a migration of the schema says so and continues afterwards', async () => {
  const database = await freshDatabase('postgres', { empty: true });
  const other = new Client({ connectionString: database });
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('begin; select pg_advisory_xact_lock(7310924518)');
  const lines: string[] = [];
  const starting = opened(database, lines);
  await until(() => lines.some((line) => line.includes(WAITING)), 'it to say that it waits');
  await other.query('commit');
  expect(await migrated(await starting)).toBeGreaterThan(0);
});

test('a start that does not migrate the schema does not wait for the migration lock', async () => {
  const database = await freshDatabase('postgres');
  const other = new Client({ connectionString: database });
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('begin; select pg_advisory_xact_lock(7310924518)');
  const lines: string[] = [];
  await opened(database, lines);
  expect(lines).toEqual([]);
});
