import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock as clock } from '../../src/clock.ts';
import { enqueue } from '../../src/notify/outbox.ts';
import { countOutbox, reportOutbox } from '../../src/notify/report.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { bareEnvironment, bareFolder } from '../support/bare-environment.ts';
import { freshDatabase, suiteDatabase } from '../support/databases.ts';
import { here, line, openDesk } from './harness.ts';
import { closed, refusedForGood } from './memory-chat.ts';

test('the outbox report lists waiting and failed deliveries with the reasons, but without the text of the messages', async () => {
  const desk = await openDesk();
  desk.chat.fail('post', { error: closed(), text: 'waits' });
  desk.chat.fail('post', { error: refusedForGood(), text: 'ends' });
  for (const text of ['is sent', 'waits', 'ends']) await desk.post(`of ${text}`, text);
  await desk.worker.start();
  await desk.settle();
  expect(await countOutbox(desk.store)).toEqual({ waiting: 1, failing: 1, undelivered: 1 });
  const [counts, header, ...rows] = await reportOutbox(desk.store);
  expect(counts).toBe('1 waiting, 1 of them after an attempt that failed; 1 undelivered.');
  expect(header).toMatch(/^state +kind +channel +order +written/);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatch(/^waiting +post +memory general +of waits .* chat-closed: The thread is closed\.$/);
  expect(rows[1]).toMatch(
    /^undelivered +post +memory general +of ends .* chat-no-such-channel: No such channel\.$/,
  );
});

/** Runs `npm run outbox` as a separate process. */
async function cli(database: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/notify/outbox-cli.ts')], {
    cwd: bareFolder,
    env: { ...bareEnvironment, DATABASE_URL: database },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code };
}

async function filled(database: string) {
  const store = await openStore(dialectFor(database, pino({ level: 'silent' })));
  await enqueue(store, clock, { kind: 'post', orderKey: 'd1', to: here, message: line('a secret') });
  return store;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const listed =
  /^1 waiting, 0 of them after an attempt that failed; 0 undelivered\.\nstate .*\nwaiting +post +memory general +d1 /;

describe('npm run outbox', () => {
  test.skipIf(suiteDatabase === 'postgres')('npm run outbox says if there is no database', async () => {
    expect(await cli(join(folder(), 'none.db'))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('There is no database'),
    });
  });

  test.skipIf(suiteDatabase === 'postgres')(
    'if a running bot uses the SQLite file, npm run outbox asks to stop the bot, and shows the list after the stop',
    async () => {
      const file = join(folder(), 'bot.db');
      const bot = await filled(file);
      const locked = await cli(file);
      await bot.destroy();
      expect(locked).toMatchObject({ code: 1, stdout: '' });
      expect(locked.stderr).toContain('another process has it open');
      expect(locked.stderr).toContain('Stop the bot to see the list.');
      const before = readFileSync(file);
      expect(await cli(file)).toMatchObject({ code: 0, stdout: expect.stringMatching(listed), stderr: '' });
      expect(readFileSync(file).equals(before)).toBe(true);
      expect(readdirSync(join(file, '..'))).toEqual(['bot.db']);
    },
  );

  test.skipIf(suiteDatabase === 'postgres')('npm run outbox does not write into an empty file', async () => {
    const file = join(folder(), 'empty.db');
    writeFileSync(file, '');
    expect(await cli(file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('lacks tables of this version'),
    });
    expect(readFileSync(file)).toHaveLength(0);
  });

  test.skipIf(suiteDatabase === 'postgres').each([
    ['a folder', () => folder(), /unable to open database file\.\nSet DATABASE_URL/],
    [
      'a file that is not a database',
      () => {
        const file = join(folder(), 'words.txt');
        writeFileSync(file, 'These are words, and enough of them to fill a header. '.repeat(20));
        return file;
      },
      /it is not a SQLite file\.\n.*set DATABASE_URL to another path/,
    ],
  ])('npm run outbox gives advice if the database is %s', async (_, made, words) => {
    const { stderr, code } = await cli(made());
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('While the bot runs');
    expect(code).toBe(1);
  });

  test.skipIf(suiteDatabase === 'sqlite')(
    'on PostgreSQL, npm run outbox shows the list while the bot runs',
    async () => {
      const database = await freshDatabase();
      const bot = await filled(database);
      const { stdout, stderr, code } = await cli(database);
      await bot.destroy();
      expect(stdout).toMatch(listed);
      expect(stdout).not.toContain('a secret');
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    },
  );

  test.skipIf(suiteDatabase === 'sqlite')(
    'if PostgreSQL is unusable, npm run outbox explains why',
    async () => {
      const empty = await freshDatabase('postgres', { empty: true });
      const away = new URL(empty);
      away.port = '1';
      const [none, nobody] = await Promise.all([cli(empty), cli(away.href)]);
      expect(none).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('lacks tables of this version'),
      });
      expect(nobody).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('nothing listens there'),
      });
      expect(none.stderr + nobody.stderr).not.toMatch(
        / {4}at |part of the request may have been done|by myself/,
      );
    },
  );
});
