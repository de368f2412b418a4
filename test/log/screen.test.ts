import { expect, test } from 'vitest';
import { onScreen } from '../../src/log/screen.ts';
import { maskedTail } from '../../src/log/tail.ts';

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
  ['🏁🏁\rgo', 'go🏁'],
  ['日本\r.', '. 本'],
  ['\tat Game.Loop', '        at Game.Loop'],
  ['a\tb', 'a       b'],
  ['nul\u0000 bell\u0007', 'nul bell'],
  ['\u001b]0;title\u0007text', 'text'],
  ['e\u0301 \rE', 'E'],
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\r\r\r', ''],
])('the line %j is shown as on a terminal', async (line, shown) =>
  expect(await onScreen([line])).toEqual([shown]),
);

test('a progress bar in a log counts as a single line and is shown in its last state', async () => {
  const bar = Array.from({ length: 60 }, (_, n) => `[${'#'.repeat(n + 1).padEnd(60)}] ${n + 1}/60`).join(
    '\r',
  );
  const { text, lines, total } = await maskedTail(`start\n${bar}\nready`, 2, []);
  expect(text).toBe(`[${'#'.repeat(60)}] 60/60\nready`);
  expect([lines, total]).toEqual([2, 3]);
});

test('if a very long log line moves the cursor, the end of the line is shown', async () => {
  expect(await onScreen([`${'x'.repeat(300_000)}\rdone`])).toEqual(['done']);
  expect(await onScreen([`${'.\b'.repeat(300_000)}ready`])).toEqual(['ready']);
});

test.each([
  ['inserts blanks', '\u001b[120@'],
  ['moves down', '\u001b[100B'],
  ['moves down to the beginning of a row', '\u001b[9999E'],
  ['erases to the right', 'x\u001b[60000X'],
])(
  'if a log line %s ten thousand times, no row becomes longer and no rows are added',
  async (_, sequence) => {
    const rows = await onScreen([sequence.repeat(10_000), 'next']);
    expect(rows).toHaveLength(2);
    expect(rows[0]?.length).toBeLessThan(20_000);
  },
);

test('an accent beyond the end of a row is shown on a space', async () => {
  expect(await onScreen(['\u001b[5C\u0301x'])).toEqual(['    \u0020\u0301x']);
});

test('if a log line uses carriage returns to write a secret over earlier text, the secret is masked', async () => {
  expect((await maskedTail('xxxxx\rTOKEN\r\u001b[Kpassword=hun\b\b\bhunter2', 1, [])).text).toBe(
    'password=[masked]',
  );
});
