import { expect, test } from 'vitest';
import { readFlags } from '../../src/flags.ts';
import { usage } from './flags.ts';

function read(words: string) {
  const said: string[] = [];
  const out = { write: (text: string) => void said.push(text) };
  const argv = ['node', 'run.ts', ...words.split(' ').filter((word) => word !== '')];
  return { flags: readFlags(usage, { argv, stdout: out, stderr: out }), said: said.join('') };
}

test.each([
  ['', { kills: 20, seed: 1, platform: 'both', database: 'sqlite', replicas: 1 }],
  ['--kills 200 --seed 7 --platform slack', { kills: 200, seed: 7, platform: 'slack' }],
  ['--database postgres', { database: 'postgres', replicas: 3 }],
  ['--database postgres --replicas 2', { replicas: 2 }],
  ['--replicas 1', { replicas: 1 }],
])('npm run chaos accepts the flags %j', (words, expected) =>
  expect(read(words).flags).toMatchObject(expected),
);

test.each([
  ['--kills=-1', '--kills is a whole number'],
  ['--kills 1e9', '--kills is a whole number'],
  ['--kills 1000000000', '--kills is a whole number from 0 to 10000.'],
  ['--kills 1.5', '--kills is a whole number'],
  ['--kills abc', '--kills is a whole number'],
  ['--seed x', '--seed is a whole number'],
  ['--seed 99999999999999999999', '--seed is a whole number'],
  ['--platform foo', '--platform is discord, slack or both.'],
  ['--database mysql', '--database is sqlite or postgres.'],
  ['--replicas 3', 'a SQLite file can have one process'],
  ['--database postgres --replicas 0', '--replicas is a whole number'],
])('npm run chaos refuses the flags %j and gives the reason', (words, problem) => {
  const { flags, said } = read(words);
  expect(flags).toBeUndefined();
  expect(said.split('\n\n')[0]).toContain(problem);
});
