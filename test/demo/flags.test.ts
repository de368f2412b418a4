import { expect, test } from 'vitest';
import { readFlags } from '../../src/demo/flags.ts';

test.each([
  [[], { kind: 'run', fast: false }],
  [['--fast'], { kind: 'run', fast: true }],
  [['--fast', '--help'], { kind: 'help' }],
  [['-h'], { kind: 'help' }],
  [['--fats'], { kind: 'problem', problem: 'The demo does not know "--fats".' }],
  [['--fast', 'surplus'], { kind: 'problem', problem: 'The demo does not know "surplus".' }],
  [['--fast=1'], { kind: 'problem', problem: 'The demo does not know "--fast=1".' }],
])('%j', (words, expected) => expect(readFlags(words)).toEqual(expected));
