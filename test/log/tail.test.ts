import { describe, expect, test } from 'vitest';
import { maskedTail } from '../../src/log/tail.ts';

const MEBIBYTE = 1024 * 1024;
const LINE = '2026-03-03T16:02:09Z [net] ada connected from 10.0.0.1, ping 12 ms';
const SECRET = 'hunter2-secret-value';
const KEY = ['-----BEGIN PRIVATE KEY-----', ...Array.from({ length: 120 }, () => 'MIIE'.repeat(16))];

const lines = (count: number, line = LINE) => Array.from({ length: count }, (_, n) => `${line} ${n}`);

describe('the last lines of a log', () => {
  test('the tail of a log has the requested number of lines, without empty lines at the end', async () => {
    expect(await maskedTail('one\r\ntwo\r\nthree\r\n\n', 2, [])).toEqual({
      text: 'two\nthree',
      lines: 2,
      total: 3,
    });
    expect(await maskedTail('one\ntwo', 30, [])).toEqual({ text: 'one\ntwo', lines: 2, total: 2 });
    expect(await maskedTail('one\n\ntwo', 2, [])).toEqual({ text: '\ntwo', lines: 2, total: 3 });
    for (const empty of ['', '\n', ' \r\n \n'])
      expect(await maskedTail(empty, 30, [])).toEqual({ text: '', lines: 0, total: 0 });
  });

  test('the tail of a log has the requested number of lines, even if a secret covers several lines', async () => {
    const log = 'start\npassword: |\n  one\n  two\n  three\nnext: 1\nready';
    expect(await maskedTail(log, 4, [])).toEqual({
      text: '[masked]\n[masked]\nnext: 1\nready',
      lines: 4,
      total: 7,
    });
  });

  test('if the last line of a log is very long and contains no spaces, the tail shows the end of this line', async () => {
    expect((await maskedTail(`a\n${'x'.repeat(9_000)}`, 1, [])).text).toMatch(
      /^\[… 808 characters left out\] x{8192}$/,
    );
  });

  test('the tail of a log of 31 MiB consists of the last lines of the log', async () => {
    const log = lines((31 * MEBIBYTE) / LINE.length).join('\n');
    const last = log.split('\n').slice(-30).join('\n');
    const total = log.split('\n').length;
    expect(await maskedTail(`${log}\n`, 30, [])).toEqual({ text: last, lines: 30, total });
    const most = await maskedTail(log, 5_000, []);
    expect(most).toMatchObject({ lines: 5_000, total });
    expect(log.endsWith(most.text)).toBe(true);
  });

  test('if the lines of a log are too long, the tail has fewer lines than requested and says so', async () => {
    const log = lines(40_000, 'x'.repeat(700)).join('\n');
    const { text, lines: shown, total } = await maskedTail(log, 5_000, []);
    expect(total).toBe(40_000);
    expect(shown).toBeLessThan(5_000);
    expect(text.split('\n')).toHaveLength(shown);
    expect(log.endsWith(text)).toBe(true);
    expect(text).toMatch(/^x/);
    expect(text.length).toBeGreaterThan(400_000);
    expect(text.length).toBeLessThan(600_000);
  });

  test.each([
    ['a single line without a break', 'x'.repeat(31 * MEBIBYTE)],
    ['a single secret without a break', `{"token":"${'ab+/'.repeat(8 * MEBIBYTE)}"}`],
    ['nothing but words', 'word '.repeat(6 * MEBIBYTE)],
    ['a long line after short lines', `${LINE}\n${'x '.repeat(15 * MEBIBYTE)}`],
    ['escaped quotation marks', `token="${'\\"'.repeat(15 * MEBIBYTE)}`],
    ['line breaks and a word', `${'\n'.repeat(31 * MEBIBYTE)}x`],
    ['nothing but colour codes', '\u001b[31m'.repeat(6 * MEBIBYTE)],
  ])('the tail of a log of 31 MiB has a limited length: %s', async (_, log) => {
    const { text } = await maskedTail(log, 5_000, ['our-own-token']);
    expect(text.length).toBeLessThan(600_000);
    expect(text).not.toContain('ab+/');
  });
});

describe('a secret that begins before the tail of the log', () => {
  test.each([1, 30, 119, 120])(
    'a private key that begins before the tail of the log and ends after %i lines of the tail is masked',
    async (count) => {
      const { text, lines: shown } = await maskedTail([...lines(500), ...KEY].join('\n'), count, []);
      expect(shown).toBe(count);
      expect(text).not.toContain('MIIE');
    },
  );

  test('a private key in a long log is masked even if the bot starts to read in the middle of the key', async () => {
    const long = Array.from({ length: 80 }, () => [...KEY, '-----END PRIVATE KEY-----', ...lines(50)]).flat();
    const all = await maskedTail(long.join('\n'), 20_000, []);
    expect(all.lines).toBeLessThan(all.total);
    expect(all.text).not.toContain('MIIE');
  });

  test('a secret in a log is masked even if its name is on the line before the secret', async () => {
    const log = `  "key": "ARBITRIUM_DELETE_TOKEN",\n  "value": "${SECRET}"`;
    expect((await maskedTail(log, 1, [])).text).toBe('  "value": [masked]');
  });

  test('a secret in a log is masked even if colour codes split its name', async () => {
    expect((await maskedTail(`TO\u001b[1mKEN=${SECRET}`, 1, [])).text).toBe('TOKEN=[masked]');
  });

  test("the bot's own secrets are masked in a log wherever their values appear", async () => {
    expect((await maskedTail('x our-own-token', 1, ['our-own-token'])).text).toBe('x [masked]');
  });
});
