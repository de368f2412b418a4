import { BEGINS_WITH_VALUE, ENDS_WITH_NAME, MASK, SECRET_PATTERNS } from './patterns.ts';

/** Longest line that is looked at as a whole, in characters; what it costs to mask one must have a bound. */
const LONGEST_LINE = 16_384;
/** Most lines of a private key: RSA with 16384 bits has 200. */
export const KEY_LINES = 256;

const KEY_BEGIN = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/;
const KEY_END = /-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/;
/** A line that may be a key's, after whatever a logger put in front. */
const KEY_BODY = /(?:^|\s)[A-Za-z0-9+/=]{40,}\s*$/;

/**
 * Masks what looks like a secret in `text`, and each of the exact `secrets` given. Keeps its lines: a masked one is
 * still one, and of one longer than 16 384 characters the end is kept.
 * Used for our own log lines and for every line of a game server's log that is shown in chat.
 */
export function maskSecrets(text: string, secrets: readonly string[] = []): string {
  let masked = text;
  for (const secret of secrets) if (secret.length >= 6) masked = masked.replaceAll(secret, MASK);
  return maskPairs(maskLines(maskKeys(masked.split('\n')))).join('\n');
}

/** Short lines are masked together: there may be very many. */
function maskLines(lines: readonly string[]): string[] {
  const masked: string[] = [];
  let piece: string[] = [];
  let length = 0;
  const flush = () => {
    if (piece.length > 0) masked.push(...maskPatterns(piece.join('\n')).split('\n'));
    piece = [];
    length = 0;
  };
  for (const line of lines) {
    if (length + line.length > LONGEST_LINE) flush();
    if (line.length > LONGEST_LINE) {
      masked.push(maskLongLine(line));
    } else {
      piece.push(line);
      length += line.length + 1;
    }
  }
  flush();
  return masked;
}

function maskLongLine(line: string): string {
  // Twice as much is masked as is kept, so that a secret the first cut goes through has ended before the second;
  // a still longer one cannot go on beyond the first break.
  const end = line.slice(-2 * LONGEST_LINE);
  const kept = maskPatterns(end.slice(end.search(/[\s,;"']|$/))).slice(-LONGEST_LINE);
  const whole = kept.replace(/^[\uDC00-\uDFFF]/, '');
  return `[… ${line.length - whole.length} characters left out] ${whole}`;
}

function maskPatterns(text: string): string {
  let masked = text;
  for (const [pattern, replacement] of SECRET_PATTERNS) masked = masked.replace(pattern, replacement);
  return masked;
}

/** Private keys, which take several lines, and of which a log may have lost the beginning or the end. */
function maskKeys(lines: readonly string[]): string[] {
  const masked: string[] = [];
  let left = 0;
  for (const line of lines) {
    let rest = line;
    let done = '';
    while (rest !== '') {
      const end = KEY_END.exec(rest);
      const begin = left > 0 ? undefined : KEY_BEGIN.exec(rest);
      if (left > 0) {
        done += MASK;
        rest = end ? rest.slice(end.index + end[0].length) : '';
        left = end ? 0 : KEY_BEGIN.test(line) ? KEY_LINES : left - 1;
      } else if (end && (!begin || end.index < begin.index)) {
        maskBefore(masked);
        done = MASK;
        rest = rest.slice(end.index + end[0].length);
      } else if (begin) {
        done += rest.slice(0, begin.index);
        rest = rest.slice(begin.index + begin[0].length);
        left = KEY_LINES;
        if (rest === '') done += MASK;
      } else {
        done += rest;
        rest = '';
      }
    }
    masked.push(done);
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

/** The name on one line, and the value on the next or the one before, as JSON and YAML are printed for people. */
function maskPairs(lines: string[]): string[] {
  for (const [index, line] of lines.entries()) {
    if (!ENDS_WITH_NAME.test(line.slice(-400))) continue;
    for (const near of [index - 1, index + 1]) {
      const other = lines[near];
      if (other !== undefined) lines[near] = other.replace(BEGINS_WITH_VALUE, `$1${MASK}`);
    }
  }
  return lines;
}
