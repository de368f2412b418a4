import { expect, test } from 'vitest';
import { z } from 'zod';
import { readFlags } from '../src/flags.ts';

const usage = {
  text: 'Usage: npm run cook\n',
  options: { fast: 'boolean', eggs: 'string' },
  schema: z.object({
    fast: z.boolean().default(false),
    eggs: z.string().regex(/^\d+$/, 'Eggs are counted.').optional(),
  }),
} as const;

function run(args: readonly string[], taken: Parameters<typeof readFlags>[0] = usage) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    argv: ['node', 'cook.ts', ...args],
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    exitCode: undefined,
  };
  const values = readFlags(taken, terminal);
  return { values, out: out.join(''), err: err.join(''), code: terminal.exitCode };
}

test.each([
  [[], { fast: false }],
  [['--fast', '--eggs', '3'], { fast: true, eggs: '3' }],
  [['--eggs=3'], { fast: false, eggs: '3' }],
])('an npm script accepts the flags %j', (args, values) => {
  expect(run(args)).toEqual({ values, out: '', err: '', code: undefined });
});

test.each([[['--help']], [['-h']], [['--fast', '--help']]])(
  'an npm script shows its usage for the flags %j',
  (args) => {
    expect(run(args)).toEqual({ values: undefined, out: usage.text, err: '', code: undefined });
  },
);

test.each([
  [['--fats'], "Unknown option '--fats'."],
  [['surplus'], "Unexpected argument 'surplus'."],
  [['--fast=1'], "Option '--fast' does not take an argument."],
  [['--eggs'], "Option '--eggs <value>' argument missing."],
  [['--eggs', '-1'], "Option '--eggs' argument is ambiguous."],
  [['--eggs', 'many'], 'Eggs are counted.'],
])('an npm script refuses the flags %j with the problem, the usage and exit code 2', (args, problem) => {
  expect(run(args)).toEqual({ values: undefined, out: '', err: `${problem}\n\n${usage.text}`, code: 2 });
});

test('an npm script that takes arguments without flags accepts as many arguments as its schema allows', () => {
  const schema = z.object({ words: z.array(z.string()).max(1, 'One at a time.') });
  const words = { text: 'Usage\n', options: {}, words: true, schema };
  expect(run(['soup'], words).values).toEqual({ words: ['soup'] });
  expect(run(['soup', 'cake'], words)).toMatchObject({ err: 'One at a time.\n\nUsage\n', code: 2 });
});
