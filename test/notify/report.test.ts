import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { countOutbox, reportOutbox } from '../../src/notify/report.ts';
import { openDesk } from './harness.ts';
import { closed, refusedForGood } from './memory-chat.ts';

test('an operator sees what waits and what ended, each with its reason, and no text of a message', async () => {
  const desk = await openDesk();
  desk.chat.fail('post', { error: closed(), text: 'waits' });
  desk.chat.fail('post', { error: refusedForGood(), text: 'ends' });
  for (const text of ['is sent', 'waits', 'ends']) await desk.post(`of ${text}`, text);
  await desk.worker.start();
  await desk.settle();
  expect(await countOutbox(desk.store)).toEqual({ waiting: 1, failing: 1, undelivered: 1 });
  const [counts, header, ...rows] = await reportOutbox(desk.store);
  expect(counts).toBe('1 waiting, 1 of them after an attempt that failed; 1 undelivered.');
  expect(header).toMatch(/^state +kind +channel +of +written/);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatch(/^waiting +post +memory general +of waits .* chat-closed: The thread is closed\.$/);
  expect(rows[1]).toMatch(
    /^undelivered +post +memory general +of ends .* chat-no-such-channel: No such channel\.$/,
  );
});

test('npm run outbox says so where there is no database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const run = promisify(execFile)(process.execPath, ['src/notify/outbox-cli.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, DATABASE_URL: join(folder, 'none.db') },
  });
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no database'),
  });
});
