import { type Sureness, wordSet } from './names.ts';

/** A longer value never counts as a state or a sentence. */
const LONGEST_SENTENCE = 300;
/**
 * A measurement, a version, an address or a time: `12`, `4096 ms`, `99.5%`, `3 of 5`, `1920x1080`, `v1.2.3`,
 * `10.0.0.1:7777`, `16:02:09`, a date.
 */
const MEASURE =
  /^(?:[-+]?[\d.,_]+(?:\s?(?:%|[kmgt]i?b|[mnµu]?s|sec(?:onds)?|min(?:utes)?|h(?:ours)?|d(?:ays)?|fps|hz|px|x\d+|of\s\d+|\/\s?\d+))?|v?\d+(?:\.\d+){1,3}(?:[-+][a-z0-9.]{1,12})?(?::\d+)?|\d{1,4}[-/:]\d\d(?:[-/:]\d\d)?(?:[T\s][\d:.]+Z?)?)$/i;
/**
 * Text that replaces a secret: `***`, `<your token>`, `${TOKEN}`, `{{ token }}`, `%TOKEN%`, `$TOKEN`, `xxxx`, `...`.
 */
const PLACEHOLDER =
  /^(?:[^\p{L}\p{N}]*|<[^<>]*>|\$\{[^{}]*\}|\$\([^()]*\)|\{\{[^{}]*\}\}|\{[a-z_.]*\}|%\w+%|\$[A-Z_]+|[x*•.]{3,}|\[\w+\])[,;.)]?$/iu;
/** Code that reads a secret, such as `getToken()` or `process.env.TOKEN`. */
const CODE =
  /^(?:(?:await|new)\s)?[A-Za-z_][\w.]{0,60}\((?!["'])|^(?:process\.env|os\.environ|import\.meta)\b/;
const PATH = /^(?:[~.]{0,2}\/(?:[\w.-]+\/?)*|[a-z]:\\.*)$/i;
/** Values that are public, for example the UUID of a match or a fingerprint. */
const PUBLIC = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|(?:sha\d+|md5)[:-])/i;

/** Words that are a state and not a secret. */
const STATES = wordSet(
  `true false yes no on off none null nil undefined ok okay n/a na nan void expired invalid valid missing required
  optional accepted rejected refreshed set unset unknown present absent empty hidden redacted masked enabled disabled
  failed failure success successful succeeded changed updated created revoked denied granted loaded received verified
  unverified generated renewed rotated pending default not found wrong correct incorrect mismatch error matched matches
  ready used unused reused consumed available unavailable needed given exists deleted removed sent stored saved cached
  issued checking check passed string number boolean bool str int integer bytes object function array any text char
  varchar file env environment allowed forbidden unauthorized authorized authorised unauthorised authenticated
  anonymous skipped ignored done started starting request requested refreshing renewing validating validated
  initialized initialised connected active inactive blank omitted filtered obtained acquired fetched encrypted plain
  plaintext basic bearer oauth steam prompt spawned`,
);
/** Words that show that a value is a sentence. */
const PROSE = wordSet(
  `is are was were be been not no must may can cannot could will would should has have had does did do too please isn't
  wasn't`,
);
/** Words that show that a value is a sentence only if the value has more than three words. */
const LINKS = wordSet('the which who that this or and to of for in with from');

/** Whether a value may be shown although its name belongs to a secret. */
export function isHarmless(value: string, sureness: Sureness, mayBeSentence = true): boolean {
  const whole = value.trim();
  // A closing bracket at the end is not part of the value if its opening bracket comes before the name.
  const text = /[([{]/.test(whole) ? whole : whole.replace(/[)\]}]+$/, '');
  if (sureness === 'no') return true;
  if (text.length > LONGEST_SENTENCE) return false;
  if (PLACEHOLDER.test(text) || CODE.test(text)) return true;
  if (STATES.has(text.toLowerCase()) || (mayBeSentence && isSentence(text, sureness))) return true;
  if (sureness === 'password') return MEASURE.test(text) && !/^\d+$/.test(text);
  if (sureness === 'token') return MEASURE.test(text) && !/^\d{6,}$/.test(text);
  if (MEASURE.test(text) || PATH.test(text)) return true;
  return sureness === 'perhaps' ? !looksMadeUp(text) : PUBLIC.test(text) || !looksDrawn(text);
}

/**
 * Whether the text is a state, such as `expired`, or a sentence. A sentence has several words, among them a word of
 * `PROSE` or `LINKS`.
 */
function isSentence(text: string, sureness: Sureness): boolean {
  const words =
    text
      .toLowerCase()
      .match(/[^\s,.;:!?()"’–—]+/g)
      ?.slice(0, 40) ?? [];
  const first = words[0] ?? '';
  if (words.length <= 1) return STATES.has(first);
  const odd = words.filter((word) => !/^(?:[a-z]+(?:['/-][a-z]+){0,3}|\d{1,4})$/.test(word));
  if (odd.length > 1 || (odd.some(looksMadeUp) && !STATES.has(first))) return false;
  if (words.length > 3 && sureness !== 'password' && words.some((word) => LINKS.has(word))) return true;
  return words.some((word) => PROSE.has(word)) || (STATES.has(first) && words.length <= 3);
}

/**
 * Whether the text is not a word of a language. The text then has letters and numbers, or is very long without a space.
 */
export function looksMadeUp(text: string): boolean {
  if (text.length < 6) return false;
  return (
    (/\d/.test(text) && /[a-z]/i.test(text)) || /^[^\s.]{20,}$/.test(text) || /\w[@!#$%^&*]\w/.test(text)
  );
}

/**
 * Whether the text looks random. The text then alternates between letters and numbers, or has capitals among small
 * letters and numbers.
 */
export function looksDrawn(text: string): boolean {
  if (text.length < 12 || /\s/.test(text)) return false;
  const changes = text.match(/[a-z](?=\d)|\d(?=[a-z])/gi)?.length ?? 0;
  if (changes >= 4 || (/^[0-9a-f]{16,}$/i.test(text) && changes > 0)) return true;
  return changes >= 1 && /[a-z][A-Z]/.test(text) && !/[\s_./-]/.test(text);
}
