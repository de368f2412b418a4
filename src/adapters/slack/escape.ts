/**
 * Slack reads `&`, `<` and `>` as control characters wherever text may hold markup: `<!channel>` pings everyone
 * (docs.slack.dev, formatting message text, "Escaping text"). What people see goes into rich_text and plain_text,
 * which have no markup; this is for the few places left: fallback texts and links in small print.
 */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * The reverse, for text a person typed into a message: Slack escapes it, and wraps what looks like a link, a
 * channel or a person. `<http://example.com|example.com>` was typed as `example.com`.
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

/** What can stand beside formatted text; a mark between two letters is one of them. */
const EDGE = /^[^\p{L}\p{N}]?$/u;

/** A name is shorter, and looking at more would take time. */
const LONGEST_VALUE = 120;
/** Several words between two marks, without marks of their own. */
const WORDS = /^[^\s"'“”*_~`][^"“”`]*\s[^"“”`]*[^\s"'“”*_~`]$/u;
/** What a value of an option stands behind. */
const OPTION_BEFORE = /(?:^|\s)[-‐‑−‒–—―]{1,2}\p{L}[\p{L}-]{0,30}[=\s]\s{0,8}[*_~`]{0,8}$/u;

/**
 * Without the marks of bold, italic, struck out and code, where Slack would read them as such: in pairs, around words,
 * and in code none but its own. A name with a mark in it, or one mark alone, stays as it is. Around the several words of
 * an option's value they become quotation marks, which is how they were meant.
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
  if (/^[@#!]/.test(target)) return label === undefined ? target : `${target[0]}${label}`;
  return label ?? target.replace(/^mailto:/, '');
}
