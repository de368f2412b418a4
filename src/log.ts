import { type Logger, pino } from 'pino';
import { maskSecrets } from './log/mask.ts';
import { MASK } from './log/patterns.ts';

export type { Logger };
export { maskSecrets };

export interface LogOptions {
  level: string;
  /** Exact values that must never appear in a line, e.g. the API tokens. */
  secrets: readonly string[];
  /** Where lines go. By default, this is standard output. */
  destination?: { write(line: string): void };
}

/** Names of fields, at any depth, that hold secrets or texts of people and servers. */
const SECRET_KEY = /^(?:.*token|.*secret|authorization|cookie|.*password|body|requestBody)$/i;

/** A pino logger that masks each finished line, both by the names of the fields and by their values. */
export function createLog({ level, secrets, destination = process.stdout }: LogOptions): Logger {
  return pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void destination.write(maskLine(line, secrets)) },
  );
}

/** Masks secrets inside the string values of a JSON line, so that the line stays valid JSON. */
function maskLine(line: string, secrets: readonly string[]): string {
  const value: unknown = JSON.parse(line);
  return `${JSON.stringify(maskValue(value, secrets))}\n`;
}

function maskValue(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return maskSecrets(value, secrets);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      maskSecrets(name, secrets),
      SECRET_KEY.test(name) ? MASK : maskValue(item, secrets),
    ]),
  );
}
