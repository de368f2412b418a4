import { expect, test } from 'vitest';
import { maskedTail } from '../../src/log/tail.ts';
import { onScreen } from '../../src/log/terminal-line.ts';

test.each([
  ['plain', 'plain'],
  ['Windows\r', 'Windows'],
  ['10%\r20%\r100%', '100%'],
  ['10%\r20%\r100%\r', '100%'],
  ['loading\rdone', 'doneing'],
  ['loading\r\u001b[Kdone', 'done'],
  ['loading\u001b[2K\rdone', 'done'],
  ['loading\r\u001b[32mdone\u001b[0m\u001b[K', 'done'],
  ['loading\u001b[1Gdone\r', 'doneing'],
  ['wait |\b/\b-\b\\\bok', 'wait ok'],
  ['🏁🏁\rgo', 'go'],
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\r\r\r', ''],
])('the log line %j is shown as a terminal would show the line', (line, shown) =>
  expect(onScreen(line)).toBe(shown),
);

test('a progress bar in a log counts as a single line and is shown in its last state', async () => {
  const bar = Array.from({ length: 60 }, (_, n) => `[${'#'.repeat(n + 1).padEnd(60)}] ${n + 1}/60`).join(
    '\r',
  );
  const { text, lines, total } = await maskedTail(`start\n${bar}\nready`, 2, []);
  expect(text).toBe(`[${'#'.repeat(60)}] 60/60\nready`);
  expect([lines, total]).toEqual([2, 3]);
});

test('if a very long log line moves the cursor, the end of the line is shown', () => {
  expect(onScreen(`${'x'.repeat(300_000)}\rdone`)).toBe('done');
  expect(onScreen(`${'.\b'.repeat(300_000)}ready`)).toBe('ready');
});

test('a secret that a log line writes over earlier text with carriage returns is masked', async () => {
  expect((await maskedTail('xxxxx\rTOKEN\r\u001b[Kpassword=hun\b\b\bhunter2', 1, [])).text).toBe(
    'password=[masked]',
  );
});
