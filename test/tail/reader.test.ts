import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import type { LookJob } from '../../src/tail/look.ts';
import { createReader, type Reader } from '../../src/tail/reader.ts';
import { TestClock } from '../support/test-clock.ts';

describe('the log reader', () => {
  let clock: TestClock;
  let reader: Reader;
  let calls: string[];
  let answer: unknown;
  beforeEach(() => {
    [clock, calls, answer] = [new TestClock(), [], { logs: '' }];
    reader = createReader({ clock, realClock: clock, log: createLog({ level: 'silent', secrets: [] }) });
  });
  afterEach(() => reader.stop());

  const api = {
    async logBytes(id: string) {
      calls.push(id);
      return new TextEncoder().encode(JSON.stringify(answer)).buffer;
    },
  };
  const look = (request_id: string, job: Partial<Omit<LookJob, 'log'>> = {}) => {
    const source = { account: 'default', api, request_id, signal: new AbortController().signal };
    return reader.look(source, { before: undefined, lines: 10, secrets: [], ...job });
  };

  test('if many followers read the same log at once, the bot calls Edgegap once, and a later read makes a new call', async () => {
    answer = { logs: 'one\ntwo\n' };
    const looks = await Promise.all(Array.from({ length: 20 }, (_, n) => look('a', { lines: 1 + (n % 2) })));
    expect(calls).toEqual(['a']);
    expect(looks.map(({ rows }) => rows.length).slice(0, 2)).toEqual([1, 2]);
    await look('b');
    await clock.advance(1_001);
    await look('a');
    expect(calls).toEqual(['a', 'b', 'a']);
  });

  test('new log lines are shown as on a terminal, and a secret is masked even if it begins in earlier lines', async () => {
    const key = ['-----BEGIN PRIVATE KEY-----', 'A'.repeat(64), 'B'.repeat(64), '-----END PRIVATE KEY-----'];
    answer = { logs: `${key.slice(0, 2).join('\n')}\n` };
    const { mark } = await look('a');
    answer = { logs: `${key.join('\n')}\n10%\r\u001b[32m90%\u001b[0m\njoined by our-secret now` };
    const { rows, open } = await look('b', { before: mark, secrets: ['our-secret'] });
    expect(rows.join('\n')).not.toMatch(/BBBB/);
    expect(rows.at(-1)).toBe('90%');
    expect(open).toBe('joined by [masked] now');
  });

  test('a log line that was shown while incomplete is shown again when it is complete', async () => {
    answer = { logs: 'load' };
    const first = await look('a');
    expect(first).toMatchObject({ rows: [], open: 'load' });
    answer = { logs: 'loading\n' };
    expect(await look('b', { before: first.mark })).toMatchObject({ rows: ['loading'], open: '' });
  });

  test('the last word of an incomplete log line is left out, because a secret possibly begins there', async () => {
    const token = `ghp_${'aB3'.repeat(12)}`;
    answer = { logs: `joined with ${token.slice(0, 20)}` };
    const { mark, open } = await look('a');
    expect(open.trim()).toBe('joined with');
    answer = { logs: `joined with ${token}\n` };
    expect((await look('b', { before: mark })).rows).toEqual(['joined with [masked]']);
  });

  test('if a log has very many new lines, only the newest lines are shown, and the characters of the other lines are counted', async () => {
    const { mark } = await look('a');
    answer = { logs: `${'x'.repeat(99)}\n`.repeat(20_000) };
    const { rows, left, news } = await look('b', { before: mark });
    expect(rows.length).toBe(news);
    expect(rows.length * 100 + left).toBe(2_000_000);
    expect(rows.length * 100).toBeLessThanOrEqual(524_288);
  });

  test('if a log line has a length of 1 MB, only its end is shown', async () => {
    answer = { logs: `${'x'.repeat(1_000_000)} the end` };
    expect((await look('a')).open).toMatch(/^\[… \d+ characters left out\] .*the end$/);
    answer = { logs: `${'x'.repeat(1_000_000)} the end\nnext\n` };
    const { rows } = await look('b', { before: { length: 0, lines: [] } });
    expect(rows).toEqual([expect.stringMatching(/^\[… \d+ characters left out\] .*the end$/), 'next']);
  });

  test('a followed log is read even if Edgegap sends base64 or broken UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('gr\u00f6\u00dfer '),
      Buffer.from([0xff]),
      Buffer.from('\0end\n'),
    ]);
    answer = { logs: bytes.toString('base64'), encoding: 'base64' };
    expect((await look('a')).rows).toEqual(['gr\u00f6\u00dfer \ufffdend']);
  });

  test('if an answer is not a log, the read fails with the code log-unreadable, and the next answer is read normally', async () => {
    answer = [];
    await expect(look('a')).rejects.toMatchObject({ code: 'log-unreadable' });
    answer = { logs: 'one\n' };
    expect((await look('b')).rows).toEqual(['one']);
  });
});
