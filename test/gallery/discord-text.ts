import { drawn, type Html, html, plain, type Rule } from './html.ts';
import { longTime, relative } from './times.ts';

/** The name that Discord's client shows for the person in the samples. */
const NAME = 'ann';

/** Parts of the text in a line. Group 1 is the content. `draw` makes the HTML. */
const RULES: readonly Rule[] = [
  [/^\\([^0-9A-Za-z\s])/, ([, sign = '']) => html`${plain(sign)}`],
  [/^``([\s\S]*?[^`])``(?!`)/, ([, code = '']) => html`<code>${plain(code)}</code>`],
  [/^`([\s\S]*?[^`])`(?!`)/, ([, code = '']) => html`<code>${plain(code)}</code>`],
  [
    /^\[((?:\\[\s\S]|[^\]\\])+)\]\(([^)\s]+)\)/,
    ([, text = '', to = '']) => html`<a href="${plain(to)}">${inline(text)}</a>`,
  ],
  [/^<@\d+>/, () => html`<span class="mention">@${plain(NAME)}</span>`],
  [/^<\/([a-z -]+):\d+>/, ([, name = '']) => html`<span class="mention">/${plain(name)}</span>`],
  [/^<#\d+>/, () => html`<span class="mention">#game-servers</span>`],
  [/^<t:(\d+):R>/, ([, at = '']) => html`<time>${plain(relative(Number(at)))}</time>`],
  [/^<t:(\d+):f>/, ([, at = '']) => html`<time>${plain(longTime(Number(at)))}</time>`],
  [/^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/, ([, text = '']) => html`<b>${inline(text)}</b>`],
  [/^\n/, () => html`<br>`],
  [/^[^\\`[<*\n]+/, ([text]) => html`${plain(text)}`],
  [/^[\s\S]/, ([text]) => html`${plain(text)}`],
];

function inline(source: string): Html[] {
  return drawn(source, RULES);
}

/** Draws the Markdown of a text display like Discord's clients. Only the Markdown that the bot writes is supported. */
export function discordText(markdown: string): Html {
  const code = /^```\n([\s\S]*)\n```$/.exec(markdown)?.[1];
  if (code !== undefined) return html`<pre>${plain(code)}</pre>`;
  const lines = markdown.split('\n');
  const [first = ''] = lines;
  if (lines.length === 1 && first.startsWith('### ')) return html`<h3>${inline(first.slice(4))}</h3>`;
  if (lines.length === 1 && first.startsWith('-# ')) return html`<small>${inline(first.slice(3))}</small>`;
  return html`<p>${inline(markdown)}</p>`;
}
