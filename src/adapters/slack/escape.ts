/**
 * Slack treats `&`, `<` and `>` as control characters wherever text may contain markup. For example, `<!channel>` pings
 * everyone (docs.slack.dev, formatting message text, "Escaping text"). Most of the bot's text goes into rich_text and
 * plain_text, which have no markup. This function escapes the remaining texts: fallback texts and links in small print.
 */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * Reverses the escaping in text that a person typed into a message. Slack escapes this text, and wraps everything that
 * looks like a link, a channel, a person or a group. For example, `example.com` becomes
 * `<http://example.com|example.com>`, and `@qa` becomes `<!subteam^S0123|@qa>` or `<@U0123|qa>`.
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
 * Matches the character before an opening or after a closing formatting mark. Allowed are the start or the end of the
 * text, and any character except a letter or a digit. A mark between letters or digits is part of a word, not
 * formatting.
 */
const EDGE = /^[^\p{L}\p{N}]?$/u;

/**
 * Maximum length of a value that is examined. Names are shorter, and examining a longer text would take too much time.
 */
const LONGEST_VALUE = 120;
/**
 * Several words between two marks. The words contain no quotation marks and no code marks. They neither begin nor end
 * with a further mark.
 */
const WORDS = /^[^\s"'“”*_~`][^"“”`]*\s[^"“”`]*[^\s"'“”*_~`]$/u;
/** The text before the value of an option. */
const OPTION_BEFORE = /(?:^|\s)[-‐‑−‒–—―]{1,2}\p{L}[\p{L}-]{0,30}[=\s]\s{0,8}[*_~`]{0,8}$/u;

/**
 * Removes the marks of bold, italic, strikethrough and code where Slack would treat them as formatting. Slack treats
 * pairs of marks around words as formatting, except inside code. A name that contains a mark, or a mark without a
 * partner, is not changed. Marks around an option's value of several words become quotation marks, because the words
 * are a single value.
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
