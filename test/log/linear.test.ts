import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeMarkdown, toMarkdown } from '../../src/adapters/discord/markdown.ts';
import { escapeMrkdwn, unescapeTyped } from '../../src/adapters/slack/escape.ts';
import { onScreen } from '../../src/log/screen.ts';
import { maskedTail } from '../../src/log/tail.ts';
import { maskSecrets } from '../../src/log.ts';

const LENGTH = 12_000;
/**
 * For a text that is eight times as long, masking may take up to this many times as long. With quadratic growth,
 * masking would take 64 times as long.
 */
const GROWTH = 40;
/** Times below this number of milliseconds are too short for a comparison. */
const LEAST_MS = 20;

/** Text fragments that would make a slow regular expression read the text many times. */
const pieces = [
  ...[
    '{value=│',
    '=',
    ':',
    'a=',
    'token=',
    'password=',
    'token=true ',
    '"token":"',
    '\\"token\\":\\"',
    'token is ',
  ],
  ...[
    '-----BEGIN PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
    'eyJa',
    'SG.',
    'sk-',
    'xoxb-',
    'https://a:',
    'a:b@',
  ],
  ...[
    '| TOKEN ',
    'TOKEN  ',
    'key=TOKEN,',
    'value=x,key=TOKEN,',
    'authorization:none ',
    'cookie: ',
    'ab+/',
    '&sig=',
    '%3D',
  ],
  ...[
    ' ',
    '\n',
    '\r',
    '\b',
    '\u001b[',
    '\u001b[K',
    '\t',
    "'",
    '"',
    '\\',
    '`',
    '*',
    '<',
    '>',
    '|',
    '│',
    'é',
    'ſ',
    '1',
    'A',
    '-',
    '.',
    '_',
  ],
];

const hostile = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''));

function repeated(seed: string, length: number): string {
  return seed.repeat(Math.ceil(length / seed.length)).slice(0, length);
}

async function timeOf(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

describe.each<[string, (text: string) => unknown]>([
  ['masking', (text) => maskSecrets(text, ['our-own-token'])],
  ['masking in lines', (text) => maskSecrets(text.replace(/.{200}/gs, '$&\n'))],
  ['the last lines of a log', (text) => maskedTail(text, 5_000, [])],
  ['a line on a screen', (text) => onScreen([text])],
  ['Discord’s markdown', escapeMarkdown],
  ['Discord’s code', (text) => toMarkdown([{ code: text }])],
  ['Slack’s text', escapeMrkdwn],
  ['text typed on Slack', unescapeTyped],
])('the speed of %s', (_, run) => {
  test('the time to mask, cut or escape a long text grows in proportion to the length of the text', async () => {
    const check = async (seed: string) => {
      const [short, long] = [repeated(seed, LENGTH), repeated(seed, 8 * LENGTH)];
      await run(short);
      const slow = async () => {
        const brief = await timeOf(() => run(short));
        return (await timeOf(() => run(long))) > Math.max(LEAST_MS, brief) * GROWTH;
      };
      // A single slow result may come from a busy machine, so the test tries again. A quadratic regular expression is
      // slow every time.
      expect((await slow()) && (await slow()) && (await slow())).toBe(false);
    };
    for (const piece of pieces) await check(piece);
    await fc.assert(fc.asyncProperty(hostile, check), { numRuns: 15 });
  });
});
