import { type Logger, pino } from 'pino';

export type { Logger };

const MASK = '[masked]';

/** A word that names a secret, as part of a longer name or not. */
const NAMES =
  '(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API[_-]?KEY|ACCESS[_-]?KEY|PRIVATE[_-]?KEY|CREDENTIALS?)';
/** A quotation mark, which JSON inside JSON escapes. */
const QUOTE = String.raw`\\{0,3}["']`;
/** A value up to the quotation mark that closes it, or, where the text was cut, up to the end of the line. */
const VALUE = [
  String.raw`\\{1,3}"(?:(?!\\{1,3}")[^"\n])*(?:\\{1,3}")?`,
  String.raw`"(?:[^"\\\n]|\\[^\n])*"?`,
  String.raw`'(?:[^'\\\n]|\\[^\n])*'?`,
  String.raw`[^\s,;"'\\][^\s,;]*`,
].join('|');

/**
 * Shapes of secrets that must never reach a log line or a chat, wherever they turn up in a text. Logs are long and not
 * ours: each repetition is bounded, or ends at the first character it does not take, so that none takes quadratic time.
 */
const SECRET_PATTERNS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, MASK],
  [
    new RegExp(
      String.raw`(authorization(?:${QUOTE})?[^\S\n]{0,8}[:=][^\S\n]{0,8}(?:${QUOTE})?(?:(?:token|bearer|bot|basic)[^\S\n]{1,8})?)[^\s"',;\\]+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [/\b(bearer|token)[^\S\n]{1,8}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{13,}/gi, `$1 ${MASK}`],
  [/\b(bearer[^\S\n]{1,8})[\w.~+/=-]{12,}/gi, `$1${MASK}`],
  // Edgegap injects the self-stop token into every container, and images commonly print their environment.
  [
    new RegExp(
      String.raw`(${NAMES}[A-Z0-9_-]{0,40}(?:${QUOTE})?[^\S\n]{0,8}[=:][^\S\n]{0,8})(?:${VALUE})`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  // `-token abc`, as a command line is printed.
  [
    new RegExp(
      String.raw`((?<![\w-])--?[a-z-]{0,30}${NAMES}[a-z-]{0,30}[^\S\n]{1,8})(?![-\s])[^\s"']+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [/\bxox[a-z]-[A-Za-z0-9-]+/g, MASK],
  [/\bxapp-[A-Za-z0-9-]+/g, MASK],
  [/\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}/g, MASK],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g, MASK],
  [/\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|AKIA[0-9A-Z]{16}|[rs]k_live_\w{10,})/g, MASK],
  [/(\/callbacks\/edgegap\/[a-z]+\/)[^\s"'?]+/gi, `$1${MASK}`],
  // Whoever has these can answer in our name for a while (Discord, Slack).
  [/(\/(?:interactions|webhooks)\/\d{5,20}\/)[\w.-]{10,}/gi, `$1${MASK}`],
  [/(hooks\.slack\.com\/)[^\s"'?]+/gi, `$1${MASK}`],
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:@/"']{0,200}:)[^\s@/"']{1,500}@/gi, `$1${MASK}@`],
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

/** Fields that hold secrets, or what people and servers wrote, at whatever depth. */
const SECRET_KEY = /^(?:.*token|.*secret|authorization|cookie|.*password|body|requestBody)$/i;

/** pino, with redaction on the finished line: by key, and by value. */
export function createLog({ level, secrets, destination = process.stdout }: LogOptions): Logger {
  return pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
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
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      maskSecrets(name, secrets),
      SECRET_KEY.test(name) ? MASK : maskValue(item, secrets),
    ]),
  );
}
