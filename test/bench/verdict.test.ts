import { expect, test } from 'vitest';
import { verdict } from '../../bench/support/bench.ts';

test.each([
  [{ atMost: 1.05 }, { ratio: 1.05 }, 'x: ratio=1.050 bar=1.05 holds'],
  [{ atMost: 1.05 }, { ratio: 1.0504 }, 'x: ratio=1.050 bar=1.05 falls short'],
  [{ atLeast: 0.8 }, { ratio: 0.8 }, 'x: ratio=0.800 bar=0.8 holds'],
  [{ atLeast: 0.8 }, { ratio: 0.79 }, 'x: ratio=0.790 bar=0.8 falls short'],
  [{ atMost: 1.05 }, { ratio: 1, wrong: ['a 429'] }, 'x: ratio=1.000 bar=1.05 falls short'],
  [{ atMost: 1.05 }, { ratio: Number.NaN }, 'x: ratio=NaN bar=1.05 falls short'],
  [undefined, { ratio: 3 }, 'x: ratio=3.000 bar=none holds'],
  [undefined, { ratio: Number.NaN }, 'x: ratio=NaN bar=none falls short'],
])('a bench with the limit %j and the outcome %j gets the right verdict', (bar, outcome, line) => {
  expect(verdict('x', bar, outcome)).toEqual({ line, holds: line.endsWith('holds') });
});
