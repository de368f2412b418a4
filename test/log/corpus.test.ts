import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { maskSecrets } from '../../src/log.ts';

const ALPHABETS: Record<string, string> = {
  h: '0123456789abcdef',
  d: '0123456789',
  a: 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789',
  A: 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789',
};
/**
 * The minimum share of lines that must be masked correctly. The share is below 1, because new kinds of secrets have no
 * rule yet.
 */
const RIGHT = 0.95;

/** Characters that look random, but are the same in every run. */
function drawn(seed: string, alphabet: string, length: number): string {
  let text = '';
  for (let n = 0; text.length < length; n++)
    for (const byte of createHash('sha256').update(`${seed} ${n}`).digest())
      text += alphabet[byte % alphabet.length] ?? '';
  return text.slice(0, length);
}

function linesOf(file: string): string[] {
  const lines = readFileSync(join(import.meta.dirname, file), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line
        .replace(/\{([haAd])(\d+)\}/g, (_, kind: string, length: string) =>
          drawn(line, ALPHABETS[kind] ?? '', Number(length)),
        )
        .replaceAll('⏎', '\n'),
    );
}

function report(what: string, all: readonly string[], wrong: readonly string[]): void {
  const right = all.length - wrong.length;
  console.info([`${what}: ${right} of ${all.length} are right`, ...wrong].join('\n  '));
  expect(right / all.length).toBeGreaterThanOrEqual(RIGHT);
}

test('at least 95 % of the secrets in the example file are masked', () => {
  const all = linesOf('secrets.txt');
  expect(all.length).toBeGreaterThanOrEqual(150);
  const wrong = all.filter((line) => {
    const masked = maskSecrets(line.replace(/[«»]/g, ''));
    return [...line.matchAll(/«([^»]*)»/g)].some(([, secret = '']) => masked.includes(secret));
  });
  report('secrets', all, wrong);
});

test('at least 95 % of the harmless lines in the example file are left unchanged', () => {
  const all = linesOf('harmless.txt');
  expect(all.length).toBeGreaterThanOrEqual(60);
  const wrong = all.filter((line) => maskSecrets(line) !== line);
  report(
    'harmless lines',
    all,
    wrong.map((line) => `${line}  ->  ${maskSecrets(line)}`),
  );
});

test('if a secret is between two harmless settings, the secret is masked and the settings are kept', () => {
  for (const line of linesOf('secrets.txt').slice(0, 60)) {
    const masked = maskSecrets(`MAP=harbour\n${line.replace(/[«»]/g, '')}\nMODE=race`);
    expect(masked.startsWith('MAP=harbour\n')).toBe(true);
    expect(masked.endsWith('\nMODE=race')).toBe(true);
  }
});
