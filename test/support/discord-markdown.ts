/**
 * Reads text like Discord's clients, and returns the visible text and the markup. The rules are those of the clients
 * (simple-markdown with Discord's additions). At each position, the rules are tried in this order.
 */
export interface Shown {
  readonly text: string;
  /** The markup in the text, for example `bold`, `link` or `mention`. */
  readonly marks: readonly string[];
}

const lineRules: readonly [kind: string, pattern: RegExp][] = [
  ['heading', /^#{1,3} +/],
  ['subtext', /^-# +/],
  ['quote', /^>(?:>>)? /],
  ['list', /^ *(?:[*+-]|\d+\.) +(?=\S)/],
];

/** Group 1 is the visible text. If `nested` is true, markup within this text is read, too. */
const rules: readonly [kind: string, pattern: RegExp, nested: boolean][] = [
  ['code block', /^```(?:[a-z0-9_+\-.#]+?\n)?\n*([^\n][\s\S]*?)\n*```/i, false],
  ['code', /^(?:``([\s\S]*?[^`])``(?!`))/, false],
  ['code', /^(?:`([\s\S]*?[^`])`(?!`))/, false],
  ['link', /^\[((?:\\[\s\S]|[^\]\\])+)\]\((?:\\.|[^)\\\s])+\)/, true],
  ['address', /^(https?:\/\/[^\s<]+[^<.,:;"')\]\s])/, false],
  ['mention', /^(<(?:@[!&]?|#)\d+>)/, false],
  ['mention', /^(@(?:everyone|here))/, false],
  ['time', /^(<t:-?\d+(?::[tTdDfFR])?>)/, false],
  ['emoji', /^(<a?:\w+:\d+>)/, false],
  ['emoji', /^(:[\w+-]+:)/, false],
  ['command', /^(<\/[^>]+:\d+>)/, false],
  ['address', /^(<(?:https?|mailto|id):[^>]+>)/, false],
  ['bold', /^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/, true],
  ['underline', /^__((?:\\[\s\S]|[^\\])+?)__(?!_)/, true],
  ['italic', /^\*(?=\S)((?:\\[\s\S]|[^\\*])+?)\*(?!\*)/, true],
  ['italic', /^_((?:\\[\s\S]|[^\\_])+?)_(?!\w)/, true],
  ['strike', /^~~((?:\\[\s\S]|[^\\])+?)~~/, true],
  ['spoiler', /^\|\|((?:\\[\s\S]|[^\\])+?)\|\|/, true],
];

export function readMarkdown(source: string): Shown {
  const marks: string[] = [];
  const text = read(source, marks, true);
  return { text, marks };
}

function read(source: string, marks: string[], atLineStart: boolean): string {
  let out = '';
  let rest = source;
  let fresh = atLineStart;
  while (rest !== '') {
    const line = fresh ? lineRules.find(([, pattern]) => pattern.test(rest)) : undefined;
    if (line) {
      marks.push(line[0]);
      rest = rest.replace(line[1], '');
      fresh = false;
      continue;
    }
    const escaped = /^\\([^0-9A-Za-z\s])/.exec(rest);
    if (escaped) {
      out += escaped[1];
      rest = rest.slice(2);
      fresh = false;
      continue;
    }
    const rule = rules.find(([, pattern]) => pattern.test(rest));
    if (rule) {
      const [kind, pattern, nested] = rule;
      const match = pattern.exec(rest);
      marks.push(kind);
      out += nested ? read(match?.[1] ?? '', marks, false) : (match?.[1] ?? '');
      rest = rest.slice(match?.[0].length ?? 1);
      fresh = false;
      continue;
    }
    out += rest[0];
    fresh = rest[0] === '\n' || (fresh && rest[0] === ' ');
    rest = rest.slice(1);
  }
  return out;
}
