/** What a secret is replaced with. */
export const MASK = '[masked]';

/** A word that names a secret, as part of a longer name or not. */
const NAMES =
  '(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API[_-]?KEY|ACCESS[_-]?KEY|PRIVATE[_-]?KEY|CREDENTIALS?)';
/** Words that name one only at the end of a longer name: a bare `PWD` is a folder, a bare `pass` a ticket. */
const ENDINGS = '(?:PASS|PWD|AUTH)';
/** The whole name of a secret, such as `REDIS_AUTH`, where something else already says that a name stands here. */
const NAME = String.raw`[\w.-]{0,40}?(?:${NAMES}[\w.-]{0,40}|[_.-]${ENDINGS})`;
/** The name of an environment variable, which prose hardly ever holds. */
const VARIABLE = `(?:[A-Z0-9]{1,30}_){1,6}(?:${NAMES}[A-Z0-9_]{0,40}|${ENDINGS})`;
/** A quotation mark, which JSON inside JSON escapes. */
const QUOTE = String.raw`\\{0,3}["']`;
/** Space within a line. */
const GAP = String.raw`[^\S\n]{0,8}`;
const QUOTED = [
  String.raw`\\{1,3}"(?:(?!\\{1,3}")[^"\n])*(?:\\{1,3}")?`,
  String.raw`"(?:[^"\\\n]|\\[^\n])*"?`,
  String.raw`'(?:[^'\\\n]|\\[^\n])*'?`,
].join('|');
/** A value up to the quotation mark that closes it, or, where the text was cut, up to the end of the line. */
const VALUE = String.raw`${QUOTED}|[^\s,;"'\\][^\s,;]*`;
/** What stands between a name and its value. */
const IS = '(?:=>|->|:=|[=:])';
/** The field that holds a variable's name, and the one that holds its value, where these are two. */
const KEY_FIELD = String.raw`\b(?:key|name|variable|env)(?:${QUOTE})?${GAP}${IS}${GAP}(?:${QUOTE})?${NAME}(?![\w.-])`;
const VALUE_FIELD = String.raw`\bvalue(?:${QUOTE})?${GAP}${IS}${GAP}`;
/** Results, which a game calls passes and authorisations too. */
const PLAIN = String.raw`(?!(?:${QUOTE})?(?:[\d.]+\s?(?:%|[mnµ]?s)?|true|false|yes|no|ok|on|off|none|null|failed|success\w*|required)(?![\w-]))`;

/**
 * Shapes of secrets that must never reach a log line or a chat, wherever they turn up. None reaches over the end of
 * a line. Logs are not ours: each repetition is bounded, or ends at the first character it does not take, so that none takes quadratic time.
 */
export const SECRET_PATTERNS: readonly [RegExp, string][] = [
  [
    new RegExp(
      String.raw`(authorization(?:${QUOTE})?${GAP}[:=]${GAP}(?:${QUOTE})?(?:(?:token|bearer|bot|basic)[^\S\n]{1,8})?)[^\s"',;\\]+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [
    new RegExp(
      String.raw`(\b(?:set-)?cookie(?:${QUOTE})?${GAP}:${GAP}(?:${QUOTE})?)[\w.-]{1,80}=[^\n"']+`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [
    /\b((?:bearer|token)[^\S\n]{1,8}(?:is[^\S\n]{1,8})?)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{13,}/gi,
    `$1${MASK}`,
  ],
  [/\b(bearer[^\S\n]{1,8})[\w.~+/=-]{12,}/gi, `$1${MASK}`],
  // Edgegap injects the self-stop token into every container, and images commonly print their environment: as it is,
  [new RegExp(`(${NAMES}[A-Z0-9_-]{0,40}(?:${QUOTE})?${GAP}${IS}${GAP})(?:${VALUE})`, 'gi'), `$1${MASK}`],
  [new RegExp(`((?<![A-Z0-9_])${VARIABLE}(?:${QUOTE})?${GAP}${IS}${GAP})(?:${VALUE})`, 'g'), `$1${MASK}`],
  [
    new RegExp(String.raw`([\w-][_-](?:PASS|PWD)(?:${QUOTE})?${GAP}${IS}${GAP})${PLAIN}(?:${VALUE})`, 'gi'),
    `$1${MASK}`,
  ],
  [new RegExp(String.raw`([\w-][_-]AUTH=)${PLAIN}(?:${VALUE})`, 'gi'), `$1${MASK}`],
  // as a map of JSON or of a connection string, where even a short name is one,
  [new RegExp(`(${QUOTE}(?:pass|pwd)${QUOTE}${GAP}${IS}${GAP})${PLAIN}(?:${QUOTED})`, 'gi'), `$1${MASK}`],
  [new RegExp(`(;${GAP}pwd=)[^;\\s"']+`, 'gi'), `$1${MASK}`],
  // `PWD: /app` is a folder, and a shell may not know `pwd`.
  [
    new RegExp(
      String.raw`((?<![\w.-])pwd${GAP}:${GAP})${PLAIN}(?!(?:${QUOTE})?(?:[~./]|[a-z]:\\|command not found))(?:${VALUE})`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  // as a list of names with values, in either order,
  [new RegExp(String.raw`(${KEY_FIELD}[^\n{}]{0,120}?${VALUE_FIELD})(?:${VALUE})`, 'gi'), `$1${MASK}`],
  [
    new RegExp(
      String.raw`(${VALUE_FIELD})(?=(?<value>${QUOTED}|[^\s,;"'\\][^\s,;]{0,500}))\k<value>(?=[^\n{}]{0,120}?${KEY_FIELD})`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  // as a table, a pair, an element, or in columns.
  [
    new RegExp(String.raw`((?<![A-Z0-9_])${VARIABLE}${GAP}[^\S\n]{0,60}[|│┃]${GAP})[^\s|│┃][^|│┃\n]*`, 'g'),
    `$1${MASK} `,
  ],
  [
    new RegExp(
      String.raw`((?<![A-Z0-9_])${VARIABLE}${QUOTE}${GAP},${GAP})(?=(?<value>${QUOTED}))\k<value>(?!${GAP}[:=])`,
      'g',
    ),
    `$1${MASK}`,
  ],
  [new RegExp(String.raw`((?<![A-Z0-9_])${VARIABLE}>)[^\s<>]+(?=<)`, 'g'), `$1${MASK}`],
  [
    new RegExp(String.raw`((?<![A-Z0-9_])${VARIABLE}[^\S\n]{1,60})(?=[\w.~+/-]{0,60}\d)[\w.~+/=-]{12,}`, 'g'),
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
  // A presigned address works for whoever has its signature.
  [
    /((?:[?&;]|\\u0026|%26)(?:[\w.-]{0,40}(?:signature|[-_]sig)|sig|auth|pass|pwd)=)[^\s&"'<>\\;]+/gi,
    `$1${MASK}`,
  ],
  [/((?:signature|\bsig)=)[\w+/%.~-]{16,}=*/gi, `$1${MASK}`],
  [/\bxox[a-z]-[A-Za-z0-9-]+/g, MASK],
  [/\bxapp-[A-Za-z0-9-]+/g, MASK],
  [/\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}/g, MASK],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g, MASK],
  [/\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|AKIA[0-9A-Z]{16}|[rs]k_live_\w{10,})/g, MASK],
  [/\b(?:AIza[\w-]{35}|(?:npm_(?=\w{30})|hf_(?=\w{20}))(?=\w*[\dA-Z])[A-Za-z0-9]{20,})/g, MASK],
  // `sk-SK` is Slovak.
  [/(?<![\w-])sk-(?!SK[\W_])(?=[\w-]*\d)(?=[\w-]*[A-Za-z0-9]{16})[\w-]{20,}/g, MASK],
  [/(\/callbacks\/edgegap\/[a-z]+\/)[^\s"'?]+/gi, `$1${MASK}`],
  // Whoever has these can answer in our name for a while (Discord, Slack).
  [/(\/(?:interactions|webhooks)\/\d{5,20}\/)[\w.-]{10,}/gi, `$1${MASK}`],
  [/(hooks\.slack\.com\/)[^\s"'?]+/gi, `$1${MASK}`],
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:@/"']{0,200}:)[^\s@/"']{1,500}@/gi, `$1${MASK}@`],
];

/** A line that ends with the field that names a secret; its value is then on a line next to it. */
export const ENDS_WITH_NAME = new RegExp(String.raw`${KEY_FIELD}(?:${QUOTE})?[\s,]{0,8}$`, 'i');
/** The field that holds the value, near the beginning of a line. */
export const BEGINS_WITH_VALUE = new RegExp(`^(.{0,80}?${VALUE_FIELD})(?:${VALUE})`, 'i');
