import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/store/schema.ts';
import { sqliteDialect } from '../../src/store/sqlite.ts';
import { openStore } from '../../src/store/store.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'chatops-store-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function opened(path = ':memory:'): Promise<Store> {
  const store = await openStore(sqliteDialect(path));
  onTestFinished(() => store.destroy());
  return store;
}

const kept = (store: Store, id: string, created_at: unknown = 1) =>
  store
    .insertInto('kept')
    .values({ id, value_json: '{}', created_at: created_at as number })
    .execute();

test('if an SQLite database is opened again, its rows are still there, and the schema is not migrated again', async () => {
  const path = join(folder(), 'deeper', 'still', 'bot.db');
  const store = await openStore(sqliteDialect(path));
  await kept(store, 'a');
  await store.destroy();
  const again = await opened(path);
  expect(await again.selectFrom('kept').select('id').execute()).toEqual([{ id: 'a' }]);
  const { rows } = await sql`select name from kysely_migration`.execute(again);
  expect(rows).toEqual([
    { name: '0001-initial' },
    { name: '0002-replicas' },
    { name: '0003-tasks' },
    { name: '0004-kept-account' },
    { name: '0005-digests' },
    { name: '0006-askers' },
    { name: '0007-presets' },
    { name: '0008-plans' },
    { name: '0013-recordings' },
  ]);
});

test('SQLite is configured to write every commit to the disk before it confirms the commit', async () => {
  const store = await opened(join(folder(), 'bot.db'));
  const pragma = async (name: string) =>
    Object.values((await sql.raw(`PRAGMA ${name}`).execute(store)).rows[0] as object)[0];
  expect(await pragma('journal_mode')).toBe('wal');
  expect(await pragma('synchronous')).toBe(2);
  expect(await pragma('locking_mode')).toBe('exclusive');
  expect(await pragma('foreign_keys')).toBe(1);
});

test.each([
  ['a date', new Date()],
  ['an object', { at: 1 }],
  ['a list', [1]],
  ['undefined', undefined],
  ['NaN', Number.NaN],
])('SQLite refuses a value that is %s and stores nothing', async (_, value) => {
  const store = await opened();
  // The test passes the value as the first parameter, because there node:sqlite would read an object as named
  // parameters.
  await expect(
    sql`insert into kept (created_at, id, value_json) values (${value}, 'a', '{}')`.execute(store),
  ).rejects.toThrow('Not a value SQLite can hold');
  expect(await store.selectFrom('kept').select('id').execute()).toEqual([]);
});

test('values that SQLite can store are read back unchanged', async () => {
  const store = await opened();
  const values = [null, 1_772_553_600_123, 12n, 'tëxt 🎮', true, false, new Uint8Array([1, 2])];
  const { rows } =
    await sql`select ${sql.join(values.map((value, index) => sql`${value} as ${sql.ref(`v${index}`)}`))}`.execute(
      store,
    );
  expect(Object.values(rows[0] as object)).toEqual([
    null,
    1_772_553_600_123,
    12,
    'tëxt 🎮',
    1,
    0,
    new Uint8Array([1, 2]),
  ]);
});

test('if an SQLite transaction fails, no row of the transaction stays in the database', async () => {
  const store = await opened();
  await expect(
    store.transaction().execute(async (tx) => {
      await kept(tx, 'a');
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await store.selectFrom('kept').select('id').execute()).toEqual([]);
});

test('a second process cannot open the SQLite file and gets a plain error until the first process has been killed', async () => {
  const path = join(folder(), 'bot.db');
  const source = new URL('../../src/store/', import.meta.url);
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('store.ts', source).href)});
    const { sqliteDialect } = await import(${JSON.stringify(new URL('sqlite.ts', source).href)});
    const store = await openStore(sqliteDialect(${JSON.stringify(path)}));
    await store.insertInto('kept').values({ id: 'first', value_json: '{}', created_at: 1 }).execute();
    process.stdout.write('open');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await expect(openStore(sqliteDialect(path))).rejects.toMatchObject({
    code: 'store-unusable',
    userMessage: `The database ${path} cannot be opened: another process has it open.`,
    hint: expect.stringContaining('Stop the other one'),
  });
  child.kill('SIGKILL');
  await ended;
  const store = await opened(path);
  expect(await store.selectFrom('kept').select('id').execute()).toEqual([{ id: 'first' }]);
});

test('if the SQLite file is not a database or its path is not writable, the error names the path', async () => {
  const path = join(folder(), 'bot.db');
  writeFileSync(
    path,
    'These are the words of a text file, and there are enough of them to fill a header.'.repeat(20),
  );
  await expect(openStore(sqliteDialect(path))).rejects.toMatchObject({
    code: 'store-unusable',
    userMessage: expect.stringContaining(path),
    hint: expect.stringContaining(`remove ${path}-wal`),
  });
  const inside = join(path, 'bot.db');
  await expect(openStore(sqliteDialect(inside))).rejects.toMatchObject({
    code: 'store-unusable',
    userMessage: expect.stringContaining(inside),
  });
});

test('an SQLite file without write permission is not reported as a broken disk', async () => {
  const path = join(folder(), 'bot.db');
  await (await openStore(sqliteDialect(path))).destroy();
  chmodSync(dirname(path), 0o755);
  chmodSync(path, 0o444);
  const sqlite = new URL('../../src/store/sqlite.ts', import.meta.url).href;
  // Root can write to every file, so the script gives up the rights of root.
  const script = `
    const { sqliteDialect } = await import(${JSON.stringify(sqlite)});
    if (process.getuid() === 0) process.setuid(65534);
    const driver = sqliteDialect(${JSON.stringify(path)}).createDriver();
    await driver.init().catch((error) => console.log(error.userMessage, error.hint));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect(stdout).toBe(
    `The database ${path} cannot be opened: I may not write it. Let the user that I run as write ${path} and the folder around it.\n`,
  );
});

test('if a migration of the SQLite schema fails, the error gives the reason', async () => {
  const path = join(folder(), 'bot.db');
  const other = new DatabaseSync(path);
  other.exec('create table deployments(a)');
  other.close();
  await expect(openStore(sqliteDialect(path))).rejects.toMatchObject({
    code: 'store-migration',
    userMessage: expect.stringMatching(/could not be brought up to date: .*deployments.* already exists/),
  });
});

describe('the permissions of the database files', () => {
  const rightsIn = (path: string) =>
    Object.fromEntries(
      readdirSync(path).map((name) => [name, (statSync(join(path, name)).mode & 0o777).toString(8)]),
    );

  test('from their creation on, new SQLite files can be read only by their owner', async () => {
    const where = folder();
    const script = `
      process.umask(0);
      const { sqliteDialect } = await import('./src/store/sqlite.ts');
      const { openStore } = await import('./src/store/store.ts');
      await openStore(sqliteDialect(${JSON.stringify(join(where, 'bot.db'))}));
      process.kill(process.pid, 'SIGKILL');`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../..'),
    }).catch(() => undefined);
    // The files that a killed process leaves behind.
    expect(rightsIn(where)).toEqual({ 'bot.db': '600', 'bot.db-wal': '600' });
  });

  test('if other users could read the SQLite files, the files become private, and so does the write-ahead log', async () => {
    const where = folder();
    const path = join(where, 'bot.db');
    const store = await openStore(sqliteDialect(path));
    chmodSync(path, 0o644);
    chmodSync(`${path}-wal`, 0o664);
    await store.destroy();
    chmodSync(path, 0o644);
    symlinkSync(path, join(where, 'link.db'));
    await opened(join(where, 'link.db'));
    expect(Object.values(rightsIn(where))).toEqual(['600', '600', '600']);
  });

  test('the permissions of a file that is not an SQLite database are left unchanged', async () => {
    const path = join(folder(), 'notes.txt');
    writeFileSync(path, 'x'.repeat(5_000), { mode: 0o644 });
    await expect(openStore(sqliteDialect(path))).rejects.toThrow('it is not a SQLite file');
    expect((statSync(path).mode & 0o777).toString(8)).toBe('644');
  });
});
