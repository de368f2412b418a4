/**
 * Escapes `&`, `<` and `>`, the control characters of Slack's markup. Without escaping, `<!channel>` in a text would
 * ping everyone (docs.slack.dev, formatting message text, "Escaping text"). Most texts of the bot go into rich_text and
 * plain_text, in which Slack reads no markup. Texts for other elements, for example fallback texts, must be escaped.
 */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * Restores the text of a message as the person typed it. Slack escapes the text, and puts links, channels, people and
 * groups into angle brackets. For example, Slack changes `example.com` to `<http://example.com|example.com>`, and `@qa`
 * to `<!subteam^S0123|@qa>` or `<@U0123|qa>`.
 */
export function unescapeTyped(text: string): string {
  return text
    .replace(/<([^<>|]*)(?:\|([^<>]*))?>/g, (_, target: string, label: string | undefined) =>
      typed(target, label),
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/**
 * Matches the character before an opening formatting mark (such as `*`), or after a closing mark. Letters and digits do
 * not match, because a mark inside a word is not formatting. An empty string matches, because a mark can be at the
 * start or the end of the text.
 */
const EDGE = /^[^\p{L}\p{N}]?$/u;

/**
 * Maximum length of formatted text that may be the value of an option. Real values, such as names, are shorter, and
 * longer texts would take too long to match.
 */
const LONGEST_VALUE = 120;
/**
 * Matches several words between two formatting marks. The words contain no quotation marks and no backticks. Their
 * first and last characters are not formatting marks.
 */
const WORDS = /^[^\s"'“”*_~`][^"“”`]*\s[^"“”`]*[^\s"'“”*_~`]$/u;
/** Matches text that ends just before the value of an option, for example with `--name=`. */
const OPTION_BEFORE = /(?:^|\s)[-‐‑−‒–—―]{1,2}\p{L}[\p{L}-]{0,30}[=\s]\s{0,8}[*_~`]{0,8}$/u;

/**
 * Removes formatting marks (`*`, `_`, `~` and backticks) where Slack would read them as bold, italic, strikethrough or
 * code. Slack reads only pairs of marks around words as formatting. Single marks, marks inside a word and marks inside
 * code stay. If a pair encloses an option's value of several words, the pair becomes quotation marks, because the
 * person meant the words as a single value.
 */
export function unformatted(text: string): string {
  const units = text.split('');
  const open: Record<string, number[]> = { '*': [], _: [], '~': [], '`': [] };
  for (const { 0: mark, index } of text.matchAll(/[*_~`]/g)) {
    const begun = open[mark] ?? [];
    const isCode = mark === '`';
    if (!isCode && open['`']?.length) continue;
    const [before, after] = [text.charAt(index - 1), text.charAt(index + 1)];
    if (begun.length > 0 && (isCode || (EDGE.test(after) && before.trim()))) {
      const start = begun.pop() ?? index;
      const isValue = index - start < LONGEST_VALUE && isOptionValue(text, start, index);
      units[start] = units[index] = isValue ? '"' : '';
    } else if (isCode || (EDGE.test(before) && after.trim())) begun.push(index);
  }
  return units.join('');
}

function isOptionValue(text: string, start: number, end: number): boolean {
  return (
    WORDS.test(text.slice(start + 1, end)) && OPTION_BEFORE.test(text.slice(Math.max(0, start - 60), start))
  );
}

function typed(target: string, label: string | undefined): string {
  const group = /^!(?:subteam\^)?(\w+)$/.exec(target)?.[1];
  if (group !== undefined) return `@${(label ?? group).replace(/^@/, '')}`;
  if (/^[@#!]/.test(target)) return label === undefined ? target : `${target[0]}${label}`;
  return label ?? target.replace(/^mailto:/, '');
}
