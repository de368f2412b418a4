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

function typed(target: string, label: string | undefined): string {
  if (/^[@#!]/.test(target)) return label === undefined ? target : `${target[0]}${label}`;
  return label ?? target.replace(/^mailto:/, '');
}
