import { setImmediate as nextTurn } from 'node:timers/promises';
import { maskPairs } from './pairs.ts';
import { MASK, SHAPES } from './patterns.ts';

/** Longest line that is looked at as a whole, in characters; what it costs to mask one must have a bound. */
export const LONGEST_LINE = 8_192;
/** Shorter lines are masked together, so many characters at a time: nobody waits for longer than that takes. */
const PIECE = 4_096;
/** Most lines of a private key: RSA with 16384 bits has 200. */
export const KEY_LINES = 256;
/** Lines at the end of a piece that are looked at with the next one too: a name may stand on one, its value on another. */
const OVERLAP = 3;
/** What is kept of a text that is no log, such as an error's: more is not shown anywhere. */
const LONGEST_TEXT = 16_384;

const KEY_EDGE = /-{4,5} ?(BEGIN|END) [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)? ?-{4,5}/g;
/** A line that may be a key's, after whatever a logger put in front. */
const KEY_BODY = /(?:^|\s)[A-Za-z0-9+/=]{40,}\s*$/;

/** Takes the secrets out of a text from outside. */
export type Mask = (text: string) => string;

/** For what enters a card, a log line or the store, the logs of game servers aside. Very long text is cut. */
export function createMask(secrets: readonly string[]): Mask {
  return (text) =>
    maskSecrets(text.slice(0, LONGEST_TEXT), secrets) + (text.length > LONGEST_TEXT ? '…' : '');
}

/**
 * Masks what looks like a secret in `text`, and each of the exact `secrets` given. Keeps its lines: a masked one is
 * still one, and of one longer than 8192 characters the end is kept.
 */
export function maskSecrets(text: string, secrets: readonly string[] = []): string {
  const masked: string[] = [];
  for (const _ of maskPieces(masked, text, secrets));
  return masked.join('\n');
}

/** The same for lines that may be many: everybody else has their turn in between. */
export async function maskLines(lines: readonly string[], secrets: readonly string[]): Promise<string[]> {
  const masked: string[] = [];
  for (const _ of maskPieces(masked, lines.join('\n'), secrets)) await nextTurn();
  return masked;
}

/** Stops after each piece. */
function* maskPieces(masked: string[], text: string, secrets: readonly string[]): Generator<void> {
  let known = text;
  for (const secret of secrets) if (secret.length >= 6) known = known.replaceAll(secret, MASK);
  let piece: string[] = [];
  let length = 0;
  for (const line of maskKeys(known.split('\n'))) {
    const long = line.length > LONGEST_LINE;
    if (piece.length > 0 && length + line.length > PIECE) {
      masked.push(...maskPiece(piece.join('\n')).split('\n'));
      yield;
      piece = long ? [] : lastShort(masked);
      length = 0;
    }
    if (long) {
      masked.push(maskLongLine(line));
      yield;
    } else {
      piece.push(line);
      length += line.length + 1;
    }
  }
  if (piece.length > 0) masked.push(...maskPiece(piece.join('\n')).split('\n'));
}

/** Takes the last lines away from `lines`, those before a long one. */
function lastShort(lines: string[]): string[] {
  const last = lines.slice(-OVERLAP);
  return lines.splice(lines.length - last.length + 1 + last.findLastIndex((line) => line.length > 1_000));
}

function maskLongLine(line: string): string {
  // Twice as much is masked as is kept, so that a secret the first cut goes through has ended before the second;
  // a still longer one cannot go on beyond the first break.
  const end = line.slice(-2 * LONGEST_LINE);
  const begin = end.length < line.length ? end.search(/[\s,;"']|$/) : 0;
  const kept = maskPiece(end.slice(begin)).slice(-LONGEST_LINE);
  const whole = kept.replace(/^[\uDC00-\uDFFF]/, '');
  return `[… ${line.length - whole.length} characters left out] ${whole}`;
}

function maskPiece(text: string): string {
  let masked = text;
  for (const shape of SHAPES) masked = masked.replace(shape, MASK);
  return maskPairs(masked);
}

/** Private keys, which take several lines, and of which a log may have lost the beginning or the end. */
function maskKeys(lines: readonly string[]): string[] {
  const masked: string[] = [];
  let left = 0;
  for (const line of lines) {
    let [done, from, inside] = ['', 0, left > 0];
    left -= inside ? 1 : 0;
    for (const { 0: edge, 1: kind, index } of line.matchAll(KEY_EDGE)) {
      if (kind === 'BEGIN') {
        if (!inside) done += line.slice(from, index);
        left = KEY_LINES;
      } else {
        if (!inside) maskBefore(masked);
        done = inside ? done + MASK : MASK;
        left = 0;
      }
      inside = kind === 'BEGIN';
      from = index + edge.length;
    }
    masked.push(inside && line !== '' ? done + MASK : done + line.slice(from));
  }
  return masked;
}

/** The end of a key has come of which the beginning is not there: the last line of it is of any length. */
function maskBefore(lines: string[]): void {
  for (let n = 1; n <= Math.min(KEY_LINES, lines.length); n++) {
    const line = lines[lines.length - n] ?? '';
    if (n > 1 && !KEY_BODY.test(line.slice(-400))) return;
    lines[lines.length - n] = MASK;
  }
}
