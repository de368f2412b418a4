import { describe, expect, test } from 'vitest';
import { bare, firstWord, nearest, parseText, quoted, unaddressed } from '../../src/command/argv.ts';
import { kinds } from '../../src/command/kinds/kinds.ts';
import { withKinds } from '../../src/command/options.ts';
import { usage } from '../../src/command/usage.ts';
import { InputError } from '../../src/errors.ts';

const specs = withKinds(
  {
    application: { kind: 'application', required: true, positional: true, description: 'x' },
    version: { kind: 'version', required: true, positional: true, description: 'x' },
    near: { kind: 'location', description: 'x' },
    tag: { kind: 'list', of: 'tag', description: 'x' },
    force: { kind: 'boolean', description: 'x' },
  },
  kinds,
);
const parse = (text: string) => parseText(text, 'deploy', specs);

test.each<[string, Record<string, unknown>]>([
  ['', {}],
  ['kart v1', { application: 'kart', version: 'v1' }],
  ['kart v1 --near Montreal', { application: 'kart', version: 'v1', near: 'Montreal' }],
  ['kart v1 --near=Montreal', { application: 'kart', version: 'v1', near: 'Montreal' }],
  ['--near Montreal kart v1', { application: 'kart', version: 'v1', near: 'Montreal' }],
  ['--NEAR Montreal', { near: 'Montreal' }],
  ['--near "New York City"', { near: 'New York City' }],
  ["--near='New York City'", { near: 'New York City' }],
  // The quotation marks and dashes that phones and different languages use.
  ['—near “New York City”', { near: 'New York City' }],
  ['–near „New York City“', { near: 'New York City' }],
  ['--near ‘New York City’', { near: 'New York City' }],
  ['--near "New York City”', { near: 'New York City' }],
  ['kart\u00a0v1\tx'.slice(0, 7), { application: 'kart', version: 'v1' }],
  ['--near D’Iberville', { near: 'D’Iberville' }],
  ["--near Xi'an", { near: "Xi'an" }],
  ['--near «New York»', { near: 'New York' }],
  ['--near »New York«', { near: 'New York' }],
  ['--near ‹New York›', { near: 'New York' }],
  ['--near „New York”', { near: 'New York' }],
  ['--near ‚New York‘', { near: 'New York' }],
  ['--near 「New York」', { near: 'New York' }],
  ['--near 『New York』', { near: 'New York' }],
  ['--near《New York》'.replace('near', 'near='), { near: 'New York' }],
  ['--near ＂New York＂', { near: 'New York' }],
  ['--near "It is «here»"', { near: 'It is «here»' }],
  ["--near 'St. John's'", { near: "St. John's" }],
  ['--near ‘St. John’s’ kart', { near: 'St. John’s', application: 'kart' }],
  ['——near Paris', { near: 'Paris' }],
  ['−−near Paris', { near: 'Paris' }],
  ['--tag a --tag b,c', { tag: ['a', 'b,c'] }],
  ['--tag "a \\"b\\" \\\\c"', { tag: ['a "b" \\c'] }],
  ['--tag "a\\b"', { tag: ['a\\b'] }],
  ['--force', { force: true }],
  ['--application kart v1', { application: 'kart', version: 'v1' }],
  ['--version v1 kart', { application: 'kart', version: 'v1' }],
  ['--force kart', { force: true, application: 'kart' }],
  ['"--near" v1', { application: '--near', version: 'v1' }],
  ['--near "-5"', { near: '-5' }],
  ['🏎️ v1', { application: '🏎️', version: 'v1' }],
])('the command arguments "%s" are parsed as expected', (text, expected) => {
  expect(parse(text)).toEqual(expected);
});

test.each(
  (
    [
      ['a b c', 'argument-extra', /“c”/],
      ['kart -near Montreal', 'argument-extra', /“-near”.*Did you mean `--near`/s],
      ['kart v1 -nera Montreal', 'argument-extra', /Did you mean `--near`/],
      ['--nera Montreal', 'option-unknown', /“--nera”.*Did you mean `--near`/s],
      ['--constructor x', 'option-unknown', /Use: `deploy <application> <version>/],
      ['--__proto__ x', 'option-unknown', /“--__proto__”/],
      ['--near', 'value-missing', /--near needs a value.*Use: `deploy/s],
      ['--near=', 'value-missing', /--near needs a value/],
      ['--near ""', 'value-missing', /--near needs a value/],
      ['--near --tag x', 'value-missing', /--near needs a value/],
      ['--near a --near b', 'given-twice', /near is given twice/],
      ['kart --application kart', 'given-twice', /application is given twice/],
      ['kart "v1', 'quote-open', /opened with " and never closed/],
      ['kart “v1', 'quote-open', /opened with “/],
      ["kart 'tis", 'quote-open', /leave the quotation marks out/],
      ['kart "v1\\"', 'quote-open', /never closed/],
    ] as [string, string, RegExp][]
  ).map(([text, code, words]) => ({ text, code, words, title: text.slice(0, 40) })),
)('the command arguments $title are refused with the error $code', ({ text, code, words }) => {
  const error = refused(() => parse(text));
  expect(error.code).toMatch(new RegExp(`^(?:${code})$`));
  expect(`${error.userMessage} ${error.hint}`).toMatch(words);
});

describe('text helpers of the parser', () => {
  test.each([
    ['list', 'list'],
    [': list', 'list'],
    [', list', 'list'],
    [' — list', 'list'],
    ['/list', 'list'],
    ['/edgegap list', 'list'],
    [': /edgegap list --tag qa', 'list --tag qa'],
    ['@edgegap: list', 'list'],
    ['edgegap', ''],
    ['?', ''],
    ['edgegapper', 'edgegapper'],
  ])(
    'the parser removes the words that address the bot, so that the line %j becomes %j',
    (line, expected) => {
      expect(unaddressed(line)).toBe(expected);
    },
  );
  test('the usage line of a command shows the required options first and then the optional options in brackets', () => {
    expect(usage('deploy', specs)).toBe(
      'deploy <application> <version> [--near <city>] [--tag <a,b>] [--force]',
    );
  });
  test('a text that is quoted in an error is cut to 60 characters, never in the middle of a character', () => {
    expect(quoted('x'.repeat(100))).toBe(`“${'x'.repeat(60)}…”`);
    expect(quoted('🏎'.repeat(100))).toBe(`“${'🏎'.repeat(60)}…”`);
    expect(quoted('kart')).toBe('“kart”');
  });
  test('if a name is mistyped, the bot suggests a known name only if exactly one is similar', () => {
    expect(nearest('depoly', ['deploy', 'stop'])).toBe('deploy');
    expect(nearest('dep', ['deploy', 'stop'])).toBe('deploy');
    expect(nearest('s', ['status', 'list'])).toBeUndefined();
    expect(nearest('dep', ['deploy', 'depart'])).toBeUndefined();
    expect(nearest('xyz', ['deploy', 'stop'])).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
    expect(nearest('v1,2', ['v12', 'v1.2'])).toBe('v1.2');
  });
});

/** The functions that parse text, each with a text that could make them slow when repeated. */
const readers: readonly [string, (text: string) => unknown][] = [
  ['bare', bare],
  ['unaddressed', unaddressed],
  ['firstWord', firstWord],
  ['quoted', quoted],
  ['parseText', (text) => outcome(() => parse(text))],
  ['nearest', (text) => nearest(text, ['deploy', 'stop'])],
];
const HARD = ['1,', '\u200b', ' ', 'x ', '-', '=', '"', ':', '/edgegap ', '\u0301', '❝', 'a'];

/*
 * A test cannot count the steps of a regular expression, but the time reveals quadratic growth even on a busy machine.
 * For a text that is eight times as long, quadratic growth takes 64 times as long, and linear growth takes 8 times as
 * long. With the texts of this test, quadratic growth takes more than 200 ms of processor time.
 */
test.each(readers)(
  'the running time of the parser function %s grows in proportion to the length of the text',
  (_, read) => {
    const took = (text: string) => {
      const before = process.cpuUsage();
      read(text);
      return process.cpuUsage(before).user / 1_000;
    };
    for (const part of HARD) {
      const text = (length: number) => `x${part.repeat(length / part.length)}x`;
      expect(took(text(16_000)), JSON.stringify(part)).toBeLessThan(40 * Math.max(took(text(2_000)), 5));
    }
  },
);

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

function refused(run: () => unknown): InputError {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('It was taken');
}
