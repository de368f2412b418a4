import { createServer } from 'node:net';
import { sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { StoreError } from '../../src/errors.ts';
import { postgresDialect } from '../../src/store/postgres.ts';
import { checkServer } from '../../src/store/postgres-errors.ts';
import type { Store } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';
import { transact } from '../../src/store/transact.ts';
import { freshDatabase } from '../support/databases.ts';
import { administer } from '../support/postgres-server.ts';
import { Relay } from '../support/relay.ts';
import { until } from '../support/test-clock.ts';

const log = pino({ level: 'silent' });
const PATIENCE_MS = 500;

async function opened(url: string, options: Parameters<typeof postgresDialect>[2] = {}): Promise<Store> {
  const store = await openStore(postgresDialect(url, log, { patienceMs: PATIENCE_MS, ...options }));
  onTestFinished(() => store.destroy());
  return store;
}

/** A store whose connection the test can break. */
async function wired(options: Parameters<typeof postgresDialect>[2] = {}) {
  const database = await freshDatabase('postgres');
  const relay = await Relay.to(database);
  onTestFinished(() => relay.close());
  return { database, relay, store: await opened(relay.through(database), options) };
}

const keep = (store: Store, id: string) =>
  store.insertInto('kept').values({ id, value_json: '{}', created_at: 1 }).execute();
const kept = async (store: Store) =>
  (await store.selectFrom('kept').select('id').orderBy('id').execute()).map(({ id }) => id);

/** The message about the problem, as an operator reads it. */
const problem = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error as StoreError,
  );
  expect(error).toMatchObject({ code: 'store-unreachable', userMessage: 'I cannot reach my database.' });
  return error?.problem ?? '';
};

describe('a start without a usable PostgreSQL', () => {
  const start = async (change: (url: URL) => void) => {
    const url = new URL(await freshDatabase('postgres'));
    url.password = 'hunter2-hunter2';
    change(url);
    const error = await openStore(postgresDialect(url.href, log, { patienceMs: PATIENCE_MS })).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(error).toMatchObject({ code: 'store-unusable', hint: expect.stringMatching(/\S/) });
    expect(`${error?.stack} ${JSON.stringify(error)}`).not.toContain('hunter2');
    return error?.message ?? '';
  };
  const right = (url: URL) => {
    url.password = 'postgres';
  };

  test.each([
    ['a wrong password', () => undefined, /on 127\.0\.0\.1:\d+ does not let the user postgres in/],
    [
      'an unknown database',
      (url: URL) => {
        right(url);
        url.pathname = '/nowhere';
      },
      /The database nowhere on .* does not exist/,
    ],
    [
      'a port without a server',
      (url: URL) => {
        url.port = '1';
      },
      /on 127\.0\.0\.1:1 cannot be reached: nothing listens there/,
    ],
    [
      'an unknown host',
      (url: URL) => {
        url.hostname = 'db.invalid';
      },
      /on db\.invalid:\d+ cannot be reached: there is no host of that name/,
    ],
    [
      'a server without the TLS that the URL requires',
      (url: URL) => {
        right(url);
        url.searchParams.set('sslmode', 'require');
      },
      /does not speak TLS/,
    ],
  ])(
    'if PostgreSQL is unusable because of %s, the error at the start names the problem and never the password',
    async (_, change, expected) => {
      expect(await start(change)).toMatch(expected);
    },
  );

  test('if PostgreSQL does not answer, the start fails and says so', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const port = typeof address === 'object' && address ? String(address.port) : '';
    expect(
      await start((url) => {
        url.port = port;
      }),
    ).toMatch(/does not answer/);
  });

  test('if the PostgreSQL database is read-only or the user lacks rights, the error at the start names the problem', async () => {
    const database = await freshDatabase('postgres', { empty: true });
    const name = new URL(database).pathname.slice(1);
    await administer(database, `create role ${name} login password 'hunter2-hunter2'`);
    onTestFinished(async () => void (await administer(inject('postgres'), `drop role ${name}`)));
    const as = (url: URL) => {
      url.pathname = name;
      url.username = name;
    };
    expect(await start(as)).toMatch(new RegExp(`does not allow ${name} what I need`));
    await administer(database, `alter database ${name} set default_transaction_read_only = on`);
    expect(await start(as)).toMatch(/takes no changes, like a replica/);
  });

  test.each(['repeatable read', 'serializable'])(
    "if the database's default isolation level is %s, the start fails and names this level",
    async (level) => {
      const database = await freshDatabase('postgres');
      const name = new URL(database).pathname.slice(1);
      await administer(database, `alter database ${name} set default_transaction_isolation = '${level}'`);
      const said = await start((url) => {
        right(url);
        url.pathname = name;
      });
      expect(said).toMatch(new RegExp(`has the isolation level ${level} by default`));
    },
  );

  test('the start refuses a PostgreSQL that is older than version 14', () => {
    const place = { host: 'db:5432', database: 'bot', user: 'bot' };
    const server = { readOnly: false, isolation: 'read committed', mayBegin: true };
    expect(() => checkServer({ ...server, version: 130_022 }, place)).toThrow('store-unreachable');
    expect(() => checkServer({ ...server, version: 140_000 }, place)).not.toThrow();
  });
});

describe('PostgreSQL while the bot runs', () => {
  test('if the PostgreSQL connection breaks in a transaction, the transaction is rolled back, and later statements work', async () => {
    const { relay, store } = await wired();
    const lost = store.transaction().execute(async (tx) => {
      await keep(tx, 'half');
      relay.cut();
      await keep(tx, 'other half');
    });
    expect(await problem(lost)).toMatch(/broke off the connection|cannot be reached/);
    expect(await problem(kept(store))).toMatch(/broke off the connection|cannot be reached/);
    relay.mend();
    expect(await kept(store)).toEqual([]);
    await keep(store, 'later');
    expect(await kept(store)).toEqual(['later']);
  });

  test('the bot replaces connections that PostgreSQL closes', async () => {
    const { database, store } = await wired();
    await Promise.all(['a', 'b', 'c'].map((id) => keep(store, id)));
    await administer(
      database,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid != pg_backend_pid()',
    );
    await until(
      () =>
        kept(store).then(
          () => true,
          () => false,
        ),
      'new connections',
    );
    expect(await kept(store)).toEqual(['a', 'b', 'c']);
  });

  test('if PostgreSQL stops answering, waiting statements and their connections are given up in time', async () => {
    const { relay, store } = await wired({ connections: 2 });
    await keep(store, 'before');
    relay.silence();
    expect(await problem(keep(store, 'lost'))).toMatch(/does not answer/);
    relay.mend();
    expect(await kept(store)).toEqual(['before']);
  });

  test('if an SQL statement takes too long, the store gives up the statement, and other statements are not delayed', async () => {
    const { database, store } = await wired({ connections: 1 });
    await keep(store, 'a');
    const other = await opened(database, { patienceMs: 60_000 });
    await other.transaction().execute(async (tx) => {
      await tx.updateTable('kept').set({ created_at: 2 }).execute();
      expect(await problem(store.updateTable('kept').set({ created_at: 3 }).execute())).toMatch(
        /does not answer/,
      );
      expect(await kept(store)).toEqual(['a']);
    });
  });

  test('if a process hangs in a PostgreSQL transaction, its rows are locked for only a few seconds', async () => {
    const { database, store } = await wired({ patienceMs: 30_000 });
    await keep(store, 'a');
    const stopped = await (await opened(database)).startTransaction().execute();
    await stopped.updateTable('kept').set({ created_at: 2 }).execute();
    // This statement has to wait for the hanging transaction.
    await store.updateTable('kept').set({ created_at: 3 }).execute();
    expect(await problem(stopped.updateTable('kept').set({ created_at: 4 }).execute())).toMatch(
      /gave up a transaction|broke off/,
    );
    await stopped
      .rollback()
      .execute()
      .catch(() => undefined);
  });

  test('if another transaction has locked a row, an SQL statement waits only a short time for the row', async () => {
    const { database, store } = await wired({ patienceMs: 30_000 });
    await keep(store, 'a');
    const keeps = await (await opened(database)).startTransaction().execute();
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(keeps);
    await keeps.updateTable('kept').set({ created_at: 2 }).execute();
    const change = transact(store, (tx) => tx.updateTable('kept').set({ created_at: 3 }).execute());
    expect(await problem(change)).toMatch(/is kept busy/);
    await keeps.rollback().execute();
  });

  test('if every database connection is in use, an SQL statement waits only for a limited time', async () => {
    const { store } = await wired({ connections: 1 });
    await store.transaction().execute(async (tx) => {
      expect(await problem(kept(store))).toMatch(/kept every connection of mine busy/);
      await keep(tx, 'a');
    });
    expect(await kept(store)).toEqual(['a']);
  });

  test('if two PostgreSQL transactions deadlock, the store repeats one transaction, and both succeed', async () => {
    const { store } = await wired({ patienceMs: 30_000 });
    await keep(store, 'a');
    await keep(store, 'b');
    let runs = 0;
    let waiting = 0;
    const both = [
      ['a', 'b'],
      ['b', 'a'],
    ].map(([first = '', second = '']) =>
      transact(store, async (tx) => {
        runs++;
        await tx
          .updateTable('kept')
          .set((eb) => ({ created_at: eb('created_at', '+', 1) }))
          .where('id', '=', first)
          .execute();
        waiting++;
        await until(() => waiting >= 2, 'the other to hold its row');
        await tx
          .updateTable('kept')
          .set((eb) => ({ created_at: eb('created_at', '+', 1) }))
          .where('id', '=', second)
          .execute();
      }),
    );
    await Promise.all(both);
    expect(runs).toBe(3);
    const rows = await store.selectFrom('kept').select('created_at').execute();
    expect(rows.map(({ created_at }) => created_at)).toEqual([3, 3]);
  });

  test('if PostgreSQL accepts only reads, like a standby server, the error says so, and the bot opens a new connection', async () => {
    const { store } = await wired();
    const change = store.transaction().execute(async (tx) => {
      await sql`set transaction read only`.execute(tx);
      await keep(tx, 'a');
    });
    expect(await problem(change)).toMatch(/takes no changes/);
    await keep(store, 'a');
  });

  test('a mistake in an SQL statement does not count as a failure of the database', async () => {
    const { store } = await wired();
    await keep(store, 'a');
    await expect(keep(store, 'a')).rejects.toMatchObject({ cause: { code: '23505' } });
  });
});
