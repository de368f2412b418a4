import { setImmediate as nextTurn } from 'node:timers/promises';
import { maskPairs } from './pairs.ts';
import { MASK, SHAPES } from './patterns.ts';

/**
 * The maximum length, in characters, of a line that is searched completely. The limit also bounds the cost of masking a
 * line.
 */
export const LONGEST_LINE = 8_192;
/** Shorter lines are masked together in pieces of up to this many characters. Other work can run between two pieces. */
const PIECE = 4_096;
/** The maximum number of lines of a private key. An RSA key of 16384 bits has 200 lines. */
export const KEY_LINES = 256;
/**
 * How many lines at the end of a piece are masked again with the next piece. The value of a name may be on the next
 * line.
 */
const OVERLAP = 3;
/**
 * A text that is not a log, for example the text of an error, is cut to this length. No message or log line shows a
 * longer text.
 */
const LONGEST_TEXT = 16_384;

const KEY_EDGE = /-{4,5} ?(BEGIN|END) [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)? ?-{4,5}/g;
/** A line that may belong to a key. A logger may have added any prefix to the line. */
const KEY_BODY = /(?:^|\s)[A-Za-z0-9+/=]{40,}\s*$/;

/** Masks the secrets in a text from outside. */
export type Mask = (text: string) => string;

/**
 * Creates a mask for texts in cards, log lines and the store. The logs of game servers use other functions. Very long
 * text is cut.
 */
export function createMask(secrets: readonly string[]): Mask {
  return (text) =>
    maskSecrets(text.slice(0, LONGEST_TEXT), secrets) + (text.length > LONGEST_TEXT ? '…' : '');
}

/**
 * Masks everything in `text` that looks like a secret, and each of the exact `secrets`. The number of lines stays the
 * same. If a line is longer than 8192 characters, only its end remains.
 */
export function maskSecrets(text: string, secrets: readonly string[] = []): string {
  const masked: string[] = [];
  for (const _ of maskPieces(masked, text, secrets));
  return masked.join('\n');
}

/** Works like `maskSecrets`, but for many lines. Other work can run in between. */
export async function maskLines(lines: readonly string[], secrets: readonly string[]): Promise<string[]> {
  const masked: string[] = [];
  for (const _ of maskPieces(masked, lines.join('\n'), secrets)) await nextTurn();
  return masked;
}

/** Masks the text in pieces, and pauses after each piece. */
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

/**
 * Removes the last lines from `lines` and returns them. A long line, and all lines before a long line, stay in `lines`.
 */
function lastShort(lines: string[]): string[] {
  const last = lines.slice(-OVERLAP);
  return lines.splice(lines.length - last.length + 1 + last.findLastIndex((line) => line.length > 1_000));
}

function maskLongLine(line: string): string {
  // This first cut may split a secret. Therefore twice as many characters are masked as are kept, so that the secret
  // ends before the kept part begins. An even longer secret is possible, so all text before the first break is also
  // dropped.
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

/** Masks private keys, which have several lines. In a log, the beginning or the end of a key may be missing. */
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

/**
 * Masks the lines of a key whose beginning is missing. `lines` ends with the last line of the key, which may have any
 * length.
 */
function maskBefore(lines: string[]): void {
  for (let n = 1; n <= Math.min(KEY_LINES, lines.length); n++) {
    const line = lines[lines.length - n] ?? '';
    if (n > 1 && !KEY_BODY.test(line.slice(-400))) return;
    lines[lines.length - n] = MASK;
  }
}
