import type { types } from '@slack/bolt';
import type { CardFile } from '../../src/chat/card.ts';
import { drawn, type Html, html, plain, type Rule } from './html.ts';
import { relative, shortTime } from './times.ts';

/**
 * Draws a message like Slack's clients, with its files below the message. Only the blocks that the bot uses are
 * supported.
 */
export function drawSlack(blocks: readonly types.KnownBlock[], files: readonly CardFile[]): Html {
  return html`<div class="message"><i class="avatar"></i><div class="content">
<header><b>edgegap</b> <i class="app">APP</i> <time>16:30</time></header>
${blocks.map(block)}${files.map(attachment)}</div></div>`;
}

function block(one: types.KnownBlock): Html {
  switch (one.type) {
    case 'header':
      return html`<h3>${plain(one.text.text)}</h3>`;
    case 'section':
      return html`<p>${one.text && text(one.text)}</p>${
        one.fields &&
        html`<div class="fields">${one.fields.map((field) => html`<div>${text(field)}</div>`)}</div>`
      }`;
    case 'context':
      return html`<div class="context">${one.elements.map((element) =>
        'text' in element ? html`<span>${text(element)}</span>` : undefined,
      )}</div>`;
    case 'divider':
      return html`<hr>`;
    case 'actions':
      return html`<div class="row">${one.elements.map(element)}</div>`;
    case 'rich_text':
      return html`${one.elements.map(rich)}`;
    case 'container':
      return html`<details class="plan"><summary><b>${plain(one.title?.text ?? '')}</b></summary>${one.child_blocks.map(
        (child) => block(child as types.KnownBlock),
      )}</details>`;
    case 'plan':
      return plan(one);
    case 'data_table':
      return table(one);
    default:
      throw new Error(`The gallery cannot draw the block ${one.type}`);
  }
}

const TASKS: Readonly<Record<string, string>> = {
  pending: '○',
  in_progress: '◔',
  complete: '✓',
  error: '✗',
};

function plan({ title, tasks = [] }: types.PlanBlock): Html {
  const cards = tasks as readonly types.TaskCardBlock[];
  return html`<div class="plan"><b>${plain(title)}</b>${cards.map(
    (task) =>
      html`<div class="task ${plain(task.status)}"><i>${plain(TASKS[task.status] ?? '')}</i> ${plain(task.title)}</div>`,
  )}</div>`;
}

function table({ caption, rows: [head = [], ...rows] }: types.DataTableBlock): Html {
  const words = (cell: (typeof head)[number]) => plain('text' in cell ? String(cell.text) : '');
  return html`<div class="table"><table><caption>${plain(caption)}</caption><tr>${head.map(
    (cell) => html`<th>${words(cell)}</th>`,
  )}</tr>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${words(cell)}</td>`)}</tr>`)}</table></div>`;
}

function text({ type, text: content }: types.PlainTextElement | types.MrkdwnElement): Html {
  return type === 'plain_text' ? html`${plain(content)}` : html`${mrkdwn(content)}`;
}

/** The markup that the bot writes: dates, people, channels, links, bold text and code. */
const MARKS: readonly Rule[] = [
  [/^<!date\^(\d+)\^([^|^]*)[^>]*>/, ([, at = '', format = '']) => date(Number(at), format)],
  [/^<@\w+>/, () => html`<span class="mention">@ann</span>`],
  [/^<#\w+>/, () => html`<span class="mention">#game-servers</span>`],
  [
    /^<([^|>]+)\|([^>]*)>/,
    ([, to = '', words = '']) => html`<a href="${plain(to)}">${plain(unescaped(words))}</a>`,
  ],
  [/^\*([^*\n]+)\*/, ([, words = '']) => html`<b>${plain(unescaped(words))}</b>`],
  [/^`([^`\n]+)`/, ([, words = '']) => html`<code>${plain(unescaped(words))}</code>`],
  [/^\n/, () => html`<br>`],
  [/^[^<*`\n]+/, ([words]) => html`${plain(unescaped(words))}`],
  [/^[\s\S]/, ([words]) => html`${plain(words)}`],
];

function mrkdwn(source: string): Html[] {
  return drawn(source, MARKS);
}

function unescaped(words: string): string {
  return words.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function date(at: number, format: string): Html {
  return html`<time>${plain(
    format.replace('{ago}', relative(at)).replace('{date_short_pretty} at {time}', shortTime(at)),
  )}</time>`;
}

function rich(group: types.RichTextBlock['elements'][number]): Html {
  if (group.type === 'rich_text_preformatted') return html`<pre>${group.elements.map(inline)}</pre>`;
  if (group.type === 'rich_text_section') return html`<p>${group.elements.map(inline)}</p>`;
  throw new Error(`The gallery cannot draw the rich text ${group.type}`);
}

function inline(one: types.RichTextElement): Html {
  const bold = (inner: Html): Html =>
    one.style && 'bold' in one.style && one.style.bold ? html`<b>${inner}</b>` : inner;
  switch (one.type) {
    case 'text': {
      const lines = one.text.split('\n').map((line, i) => html`${i > 0 && html`<br>`}${plain(line)}`);
      return bold(one.style?.code ? html`<code>${lines}</code>` : html`${lines}`);
    }
    case 'link':
      return bold(html`<a href="${plain(one.url)}">${plain(one.text ?? one.url)}</a>`);
    case 'user':
      return html`<span class="mention">@ann</span>`;
    case 'channel':
      return html`<span class="mention">#game-servers</span>`;
    case 'date':
      return bold(date(one.timestamp, one.format));
    default:
      throw new Error(`The gallery cannot draw the element ${one.type}`);
  }
}

function element(one: types.ActionsBlock['elements'][number]): Html {
  if (one.type === 'button')
    return html`<button class="${plain(one.style ?? '')}">${plain(one.text.text)}</button>`;
  if (one.type === 'static_select') return select(one);
  throw new Error(`The gallery cannot draw the element ${one.type}`);
}

function select({ placeholder, initial_option: chosen }: types.StaticSelect): Html {
  return html`<div class="select">${plain(chosen?.text.text ?? placeholder?.text ?? 'Select an option')}<i></i></div>`;
}

function attachment({ name, type, bytes }: CardFile): Html {
  if (!type.startsWith('image/'))
    return html`<div class="file"><b>${plain(name)}</b><small>Plain text</small></div>`;
  const source = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  return html`<img src="${plain(source)}" alt="${plain(name)}">`;
}

/** Draws a form like Slack's clients. */
export function drawSlackForm({ title, submit, blocks }: types.ModalView): Html {
  return html`<div class="modal"><h3>${plain(title.text)}</h3>${blocks.map((one) => {
    if (one.type !== 'input') return block(one as types.KnownBlock);
    const { label, hint, optional, element: field } = one as types.InputBlock;
    return html`<label>${plain(label.text)}${optional && html`<small> (optional)</small>`}</label>${input(field)}
${hint && html`<small>${plain(hint.text)}</small>`}`;
  })}<div class="row"><button>Cancel</button><button class="primary">${plain(submit?.text ?? 'Submit')}</button></div></div>`;
}

function input(field: types.InputBlock['element']): Html {
  if (field.type === 'static_select') return select(field);
  if (field.type === 'external_select' || field.type === 'multi_external_select') return suggested(field);
  const { initial_value, multiline = false, placeholder } = field as types.PlainTextInput;
  const look = `${multiline ? 'tall' : ''} ${initial_value ? '' : 'empty'}`;
  return html`<div class="input ${plain(look)}">${plain(initial_value || (placeholder?.text ?? ''))}</div>`;
}

/**
 * A menu whose choices are suggested while a person types. If several values can be chosen, they stand side by side.
 */
function suggested(field: types.ExternalSelect | types.MultiExternalSelect): Html {
  const chosen = 'initial_options' in field ? (field.initial_options ?? []) : [];
  const [only] = 'initial_option' in field && field.initial_option ? [field.initial_option] : [];
  const words = [only, ...chosen].flatMap((one) => one?.text.text ?? []).join(' · ');
  const shown = plain(words || (field.placeholder?.text ?? 'Select an option'));
  return html`<div class="select ${plain(words ? '' : 'empty')}">${shown}<i></i></div>`;
}
