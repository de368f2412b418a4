import { type Logger, pino } from 'pino';

export type { Logger };

const MASK = '[masked]';

/** Shapes of secrets that must never reach a log line or a chat, wherever they turn up in a text. */
const SECRET_PATTERNS: readonly [RegExp, string][] = [
  // Edgegap injects the self-stop token into every container, and images commonly print their environment.
  [/\b([A-Z0-9_]*(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|CREDENTIALS?)[A-Z0-9_]*["']?\s*[=:]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,;"']+)/gi, `$1${MASK}`],
  [/\b(authorization["']?\s*[:=]\s*["']?(?:token|bearer|bot|basic)?\s*)[^\s"',;]+/gi, `$1${MASK}`],
  [/\b(bearer|token)\s+[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{13,}/gi, `$1 ${MASK}`],
  [/\bxox[a-z]-[A-Za-z0-9-]+/g, MASK],
  [/\bxapp-[A-Za-z0-9-]+/g, MASK],
  [/\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}/g, MASK],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/g, MASK],
  [/(\/callbacks\/edgegap\/[a-z]+\/)[^\s"'?]+/gi, `$1${MASK}`],
  [/([a-z][a-z0-9+.-]*:\/\/[^\s:@/]+:)[^\s@/]+@/gi, `$1${MASK}@`],
];

/**
 * Masks what looks like a secret in `text`, and each of the exact `secrets` given.
 * Used for our own log lines and for every line of a game server's log that is shown in chat.
 */
export function maskSecrets(text: string, secrets: readonly string[] = []): string {
  let masked = text;
  for (const secret of secrets) if (secret.length >= 6) masked = masked.replaceAll(secret, MASK);
  for (const [pattern, replacement] of SECRET_PATTERNS) masked = masked.replace(pattern, replacement);
  return masked;
}

export interface LogOptions {
  level: string;
  /** Exact values that must never appear in a line, e.g. the API tokens. */
  secrets: readonly string[];
  /** Where lines go; standard output when absent. */
  destination?: { write(line: string): void };
}

/** pino, with redaction by key and, on the finished line, by value. */
export function createLog({ level, secrets, destination = process.stdout }: LogOptions): Logger {
  const key = ['token', 'secret', 'authorization', 'password', 'headers.authorization', 'body'];
  return pino(
    {
      level,
      base: null,
      redact: { paths: [...key, ...key.map((path) => `*.${path}`)], censor: MASK },
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void destination.write(maskLine(line, secrets)) },
  );
}

/** Masks inside the strings of a JSON line, so that the line stays JSON. */
function maskLine(line: string, secrets: readonly string[]): string {
  const value: unknown = JSON.parse(line);
  return `${JSON.stringify(maskValue(value, secrets))}\n`;
}

function maskValue(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return maskSecrets(value, secrets);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, maskValue(item, secrets)]));
}
