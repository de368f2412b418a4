import { stripVTControlCharacters } from 'node:util';
import { KEY_LINES, maskSecrets } from './mask.ts';

/** The most that is masked and shown of a log, in characters: a log may be 32 MiB, and everybody waits meanwhile. */
const MOST = 524_288;
/** What is looked at before that: a secret that began there may reach into what is shown. */
const BEFORE = 65_536;

export interface Tail {
  /** Without secrets, nor the space at its end. '' for an empty log. */
  readonly text: string;
  readonly lines: number;
  /** Whether there are fewer lines than asked for because of their length. */
  readonly cut: boolean;
}

/** The last `count` lines of a log, as people may see them. */
export function maskedTail(log: string, count: number, secrets: readonly string[]): Tail {
  const whole = log.trimEnd();
  if (whole === '') return { text: '', lines: 0, cut: false };
  const end = whole.slice(-(MOST + BEFORE));
  // Without colours and cursor movements, which mean nothing in chat and could split a secret.
  const near = stripVTControlCharacters(end).split(/\r?\n/);
  const short = end.length < whole.length;
  // The first one was cut somewhere.
  if (short && near.length > 1) near.shift();
  let from = Math.max(0, near.length - count);
  const cut = short && from < linesWithin(near, BEFORE);
  if (cut) from = Math.min(linesWithin(near, BEFORE), near.length - 1);
  const start = Math.max(0, from - KEY_LINES);
  const lines = maskSecrets(near.slice(start).join('\n'), secrets)
    .split('\n')
    .slice(from - start);
  return { text: lines.join('\n'), lines: lines.length, cut };
}

/** How many lines from the beginning hold so many characters. */
function linesWithin(lines: readonly string[], characters: number): number {
  let length = 0;
  const index = lines.findIndex((line) => {
    length += line.length + 1;
    return length > characters;
  });
  return index + 1;
}
