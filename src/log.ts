import { LRUCache } from 'lru-cache';
import { type Logger, pino } from 'pino';
import { type Mask, maskSecrets } from './log/mask.ts';
import { MASK } from './log/patterns.ts';

export type { Logger };
export { maskSecrets };

export interface LogOptions {
  level: string;
  /** Exact values that must never appear in a log line, for example the API tokens. */
  secrets: readonly string[];
  /** Where the log writes its lines. By default, this is standard output. */
  destination?: { write(line: string): void };
}

/** Names of fields, at any depth, that contain secrets or texts from people and servers. */
const SECRET_KEY = /^(?:.*token|.*secret|authorization|cookie|.*password|body|requestBody)$/i;

/** The logger keeps the masked form of texts up to this length, in characters. */
const SHORT = 64;
/** For how many short texts the logger keeps the masked form. Most lines repeat the same field names and values. */
const REMEMBERED = 1_000;

/** Creates a pino logger that masks each finished line, both by the names and by the values of the fields. */
export function createLog({ level, secrets, destination = process.stdout }: LogOptions): Logger {
  const short = new LRUCache<string, string>({
    max: REMEMBERED,
    memoMethod: (text) => maskSecrets(text, secrets),
  });
  const mask: Mask = (text) => (text.length > SHORT ? maskSecrets(text, secrets) : short.memo(text));
  return pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void destination.write(maskLine(line, mask)) },
  );
}

/** Masks secrets inside the string values of a JSON line, so that the line stays valid JSON. */
function maskLine(line: string, mask: Mask): string {
  const value: unknown = JSON.parse(line);
  return `${JSON.stringify(maskValue(value, mask))}\n`;
}

function maskValue(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      mask(name),
      SECRET_KEY.test(name) ? MASK : maskValue(item, mask),
    ]),
  );
}
