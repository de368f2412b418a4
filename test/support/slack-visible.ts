import type { VisibleMessage } from './chat-driver.ts';

/** The parts of a stored Slack message that the tests read. */
export interface SlackMessageState {
  readonly ts: string;
  readonly text?: string;
  readonly user?: string;
  readonly thread_ts?: string;
  readonly blocks?: readonly unknown[];
  readonly files?: readonly { readonly id: string; readonly name: string }[];
}

interface Element {
  readonly type: string;
  readonly text?: string | { readonly text: string };
  readonly url?: string;
  readonly user_id?: string;
  readonly channel_id?: string;
  readonly fallback?: string;
  readonly range?: string;
  readonly action_id?: string;
  readonly elements?: readonly Element[];
  readonly options?: readonly { readonly text: { readonly text: string }; readonly value: string }[];
  readonly fields?: readonly { readonly text: string }[];
  readonly title?: string | { readonly text: string };
  /** The tasks of a plan. */
  readonly tasks?: readonly Element[];
  readonly child_blocks?: readonly Element[];
  /** The cells of a data table. */
  readonly rows?: readonly (readonly Element[])[];
}

/** The message as a person sees it. If a message has blocks, Slack shows `text` only in notifications. */
export function visibleMessage(
  message: SlackMessageState,
  more: { readonly edits: number; readonly fileContent: (id: string) => string },
): VisibleMessage {
  const blocks = (message.blocks ?? []) as readonly Element[];
  const inThread = message.thread_ts !== undefined && message.thread_ts !== message.ts;
  return {
    id: message.ts,
    text: blocks.length > 0 ? blocks.map(textOf).filter(Boolean).join('\n') : (message.text ?? ''),
    buttons: buttonsOf(message).map(({ label }) => label),
    ...(inThread ? { parent: message.thread_ts } : {}),
    pings: [...new Set([...markupPings(message.text ?? ''), ...blocks.flatMap(pingsOf)])],
    files: (message.files ?? []).map(({ id, name }) => ({ name, content: more.fileContent(id) })),
    edits: more.edits,
  };
}

export interface VisibleButton {
  readonly label: string;
  readonly action_id: string;
  readonly url: string | undefined;
}

/** The choices of the message's menus, each with the menu's id. */
export function choicesOf(message: SlackMessageState) {
  const blocks = (message.blocks ?? []) as readonly Element[];
  return blocks
    .flatMap(({ type, elements = [] }) => (type === 'actions' ? elements : []))
    .flatMap(({ action_id = '', options = [] }) =>
      options.map(({ text, value }) => ({ label: words(text), value, action_id })),
    );
}

export function buttonsOf(message: SlackMessageState): VisibleButton[] {
  const blocks = (message.blocks ?? []) as readonly Element[];
  return blocks
    .filter(({ type }) => type === 'actions')
    .flatMap(({ elements }) => elements ?? [])
    .filter(({ type }) => type === 'button')
    .map(({ text, action_id, url }) => ({ label: words(text), action_id: action_id ?? '', url }));
}

function textOf(element: Element): string {
  switch (element.type) {
    case 'actions':
    case 'divider':
      return '';
    case 'plan':
      return [words(element.title), ...(element.tasks ?? []).map(({ title }) => words(title))].join('\n');
    case 'container':
      return [words(element.title), ...(element.child_blocks ?? []).map(textOf)].join('\n');
    case 'data_table':
      return (element.rows ?? []).map((row) => row.map(textOf).join('  ')).join('\n');
    case 'user':
      return `<@${element.user_id}>`;
    case 'channel':
      return `<#${element.channel_id}>`;
    case 'date':
      return element.fallback ?? '';
    case 'link':
      return words(element.text) || (element.url ?? '');
    case 'context':
      return (element.elements ?? []).map(textOf).join(' ');
    case 'mrkdwn':
      return unescapeMarkup(words(element.text));
    case 'section':
      return [words(element.text), ...(element.fields ?? []).map(({ text }) => fieldOf(text))]
        .filter(Boolean)
        .join('\n');
    default:
      return words(element.text) + (element.elements ?? []).map(textOf).join('');
  }
}

function pingsOf(element: Element): string[] {
  const here =
    element.type === 'user'
      ? [element.user_id ?? '']
      : element.type === 'broadcast'
        ? [`!${element.range}`]
        : element.type === 'mrkdwn'
          ? markupPings(words(element.text))
          : [];
  const section =
    element.type === 'section' && typeof element.text === 'object' ? markupPings(element.text.text) : [];
  return [...here, ...section, ...(element.elements ?? []).flatMap(pingsOf)];
}

/** Matches `<@U1>`, `<!channel>` and `<!subteam^S1>` in text that Slack reads as markup. */
function markupPings(text: string): string[] {
  return [
    ...text.matchAll(/<(?:@([UW][A-Z0-9]+)|(!(?:channel|here|everyone|subteam\^[A-Z0-9]+)))[^>]*>/g),
  ].map(([, user, all]) => user ?? all ?? '');
}

/** Converts a field in two columns into one line: `*Location*`, a line break and `Paris` become `Location: Paris`. */
function fieldOf(markup: string): string {
  return unescapeMarkup(
    markup
      .replace(/^\*(.*)\*\n/, '$1: ')
      .replace(/<!date[^|]*\|([^>]*)>/g, '$1')
      .replaceAll('`', ''),
  );
}

function words(text: Element['text']): string {
  return typeof text === 'object' ? text.text : (text ?? '');
}

function unescapeMarkup(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
