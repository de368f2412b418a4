import {
  type APIButtonComponent,
  type APIComponentInContainer,
  type APIMessageTopLevelComponent,
  ButtonStyle,
  ComponentType,
  SeparatorSpacingSize,
} from 'discord-api-types/v10';
import { encodeActionId } from '../../chat/action-id.ts';
import {
  type Button,
  type Card,
  type Field,
  type Line,
  type Message,
  type Node,
  type Rich,
  stepsText,
  type Tone,
} from '../../chat/card.ts';
import { inOneDirection } from '../../chat/direction.ts';
import { largest, shortenFields } from '../../chat/shorten.ts';
import { cut, renderSelect } from './form.ts';
import { limits, shares } from './limits.ts';
import { CODE_BLOCK_OVERHEAD, codeBlock, codeText, toMarkdown } from './markdown.ts';
import { tableText } from './table.ts';

/**
 * Renders a message as Components V2. Not only cards but also lines use Components V2, so that an edit can replace a
 * line with a card. Discord does not let an edit remove the flag for Components V2. Text that does not fit is cut and
 * ends with an ellipsis. Throws if there are too many components.
 */
export function renderMessage(message: Message, fileNames: readonly string[] = [], marker?: number) {
  const shown = inOneDirection(message);
  const top = shown.kind === 'card' ? renderCard(shown, fileNames) : renderLine(shown);
  const component: APIMessageTopLevelComponent = marker === undefined ? top : { ...top, id: marker };
  check(component);
  return component;
}

/** Accent colours from Discord's own palette. */
const colours: Readonly<Record<Tone, number | undefined>> = {
  neutral: undefined,
  progress: 0x5865f2,
  success: 0x57f287,
  warning: 0xfee75c,
  danger: 0xed4245,
};

/** Signs for lines, because a line has no frame to colour. */
const symbols: Readonly<Record<Tone, string>> = {
  neutral: '',
  progress: '⏳ ',
  success: '✅ ',
  warning: '⚠️ ',
  danger: '❌ ',
};

/** Whether the line fits into a message without being cut. */
export function fits({ tone, text }: Line): boolean {
  return symbols[tone].length + toMarkdown(text).length <= limits.text;
}

function renderLine({ tone, text }: Line): APIMessageTopLevelComponent {
  const symbol = symbols[tone];
  return display(symbol + (toMarkdown(text, limits.text - symbol.length) || '…'));
}

function renderCard(card: Card, fileNames: readonly string[]): APIMessageTopLevelComponent {
  const title = `### ${oneLine(toMarkdown(card.title, shares.title))}`;
  const urls = fileNames.map((name) => `attachment://${name}`);
  const urlOf = new Map(card.files?.map(({ name }, i) => [name, urls[i]]));
  const nodes = card.nodes.map(
    (node): Node =>
      node.kind === 'image' && urlOf.get(node.file) === undefined
        ? { kind: 'note', text: [`Picture ${node.file}: ${node.alt}`] }
        : node,
  );
  const texts = fillTexts(nodes, limits.text - shares.spare - title.length);
  const pictures = nodes.map((node) => node.kind === 'image' && urlOf.get(node.file));
  const inside: APIComponentInContainer[] = [
    display(title),
    ...nodes.flatMap((node, i) => renderNode(node, urlOf, texts[i])),
    ...urls
      .filter((url) => !pictures.includes(url))
      .map((url) => ({ type: ComponentType.File as const, file: { url } })),
  ];
  const components = countOf(inside) >= limits.components ? joined(inside) : inside;
  return { type: ComponentType.Container, accent_color: colours[card.tone], components };
}

/** Joins neighbouring texts into a single text, because each text counts towards Discord's limit of components. */
function joined(inside: readonly APIComponentInContainer[]): APIComponentInContainer[] {
  const all: APIComponentInContainer[] = [];
  for (const component of inside) {
    const last = all.at(-1);
    if (last?.type === ComponentType.TextDisplay && component.type === ComponentType.TextDisplay)
      all[all.length - 1] = display(`${last.content}\n${component.content}`);
    else all.push(component);
  }
  return all;
}

/**
 * Renders the text of each node. Prose is rendered first, because prose is short and matters most. Code and tables
 * share the remaining characters.
 */
function fillTexts(nodes: readonly Node[], room: number): string[] {
  const texts = nodes.map(() => '');
  const blocks = nodes.filter(isBlock).length;
  let left = room;
  for (const [i, node] of nodes.entries()) {
    if (isBlock(node)) continue;
    const text = proseText(node, Math.max(1, left - blocks * shares.leastCode));
    texts[i] = text;
    left -= text.length;
  }
  let waiting = blocks;
  for (const [i, node] of nodes.entries()) {
    if (!isBlock(node)) continue;
    const text = blockText(node, Math.floor(left / waiting));
    texts[i] = text;
    left -= text.length;
    waiting -= 1;
  }
  return texts;
}

type Block = Extract<Node, { kind: 'code' | 'table' }>;

function isBlock(node: Node): node is Block {
  return node.kind === 'code' || (node.kind === 'table' && node.entries === undefined);
}

function proseText(node: Node, room: number): string {
  switch (node.kind) {
    case 'text':
      return toMarkdown(node.text, Math.min(room, shares.prose));
    case 'note': {
      const text = oneLine(toMarkdown(node.text, Math.min(room - 3, shares.prose)));
      return text === '' ? '' : `-# ${text}`;
    }
    case 'fields':
      return fieldsText(node.fields, room);
    case 'table':
      return entriesText(node.entries ?? [], room);
    case 'steps':
      return toMarkdown(stepsText(node), Math.min(room, shares.prose));
    default:
      return '';
  }
}

/** Shows as many fields as fit, and says how many fields were left out. */
function fieldsText(fields: readonly Field[], room: number): string {
  const text = (most: number) => shortenFields(fields, most).map(fieldLine).join('\n');
  const most = largest(1, longestList(fields), (count) => text(count).length <= room);
  if (most !== undefined) return text(most);
  return toMarkdown(
    fields.flatMap(({ label, value }) => [{ bold: label }, ': ', ...value, '\n']),
    room,
  );
}

/** Shows as many of the texts as fit. A last line says how many texts were left out. */
function entriesText(entries: readonly Rich[], room: number): string {
  const lines = entries.map((entry) => toMarkdown(entry, shares.prose));
  const text = (count: number) =>
    [...lines.slice(0, count), ...(count < lines.length ? [`… and ${lines.length - count} more`] : [])].join(
      '\n\n',
    );
  return text(largest(0, lines.length, (count) => text(count).length <= room) ?? 0);
}

function longestList(fields: readonly Field[]): number {
  return Math.max(fields.length, ...fields.map(({ value }) => value.length));
}

function fieldLine({ label, value }: Field): string {
  return `${toMarkdown([{ bold: label }], shares.label)}: ${toMarkdown(value, shares.field)}`;
}

function blockText(node: Block, room: number): string {
  const inner = room - CODE_BLOCK_OVERHEAD;
  const fits = (text: string) => codeText(text).length <= inner;
  if (node.kind === 'table') {
    // `codeText` separates consecutive backticks, which makes the text longer. The table is cut further until the text
    // fits.
    for (let tries = inner; ; tries -= 50) {
      const text = tableText(node, tries);
      if (fits(text) || tries < 50) return codeBlock(text);
    }
  }
  if (fits(node.text)) return codeBlock(node.text);
  return codeBlock(cutCode(node.text, node.keep, fits));
}

/**
 * Cuts `text` to the longest start or end for which `fits` is true. If a line break is in the second half of this part,
 * cuts at the line break instead.
 */
function cutCode(text: string, keep: 'start' | 'end', fits: (text: string) => boolean): string {
  const characters = [...text];
  const part = (count: number) =>
    keep === 'start'
      ? `${characters.slice(0, count).join('')}\n…`
      : `…\n${characters.slice(characters.length - count).join('')}`;
  const rough = part(largest(0, characters.length - 1, (count) => fits(part(count))) ?? 0);
  if (keep === 'start') {
    const end = rough.lastIndexOf('\n', rough.length - 3);
    return end > rough.length / 2 ? `${rough.slice(0, end)}\n…` : rough;
  }
  const start = rough.indexOf('\n', 2);
  return start !== -1 && start < rough.length / 2 ? `…${rough.slice(start)}` : rough;
}

/** The addresses of a card's files, by the names of the files. */
type Urls = ReadonlyMap<string, string | undefined>;

function renderNode(node: Node, urlOf: Urls, text = ''): APIComponentInContainer[] {
  switch (node.kind) {
    case 'text':
    case 'note':
    case 'fields':
    case 'steps':
    case 'table':
    case 'code':
      // Discord refuses a text display whose text is empty.
      return text.trim() === '' ? [] : [display(text)];
    case 'image': {
      const url = urlOf.get(node.file) ?? '';
      const description = cut(node.alt, limits.alt);
      return [{ type: ComponentType.MediaGallery, items: [{ media: { url }, description }] }];
    }
    case 'divider':
      return [{ type: ComponentType.Separator, divider: true, spacing: SeparatorSpacingSize.Small }];
    case 'buttons': {
      const rows: APIComponentInContainer[] = [];
      for (let i = 0; i < node.buttons.length; i += limits.rowButtons)
        rows.push({
          type: ComponentType.ActionRow,
          components: node.buttons.slice(i, i + limits.rowButtons).map(renderButton),
        });
      return rows;
    }
    case 'select':
      if (node.choices.length === 0) return [];
      return [{ type: ComponentType.ActionRow, components: [renderSelect(node)] }];
  }
}

const styles = {
  primary: ButtonStyle.Primary,
  secondary: ButtonStyle.Secondary,
  danger: ButtonStyle.Danger,
} as const;

function renderButton(button: Button): APIButtonComponent {
  const label = cut(button.label, limits.buttonLabel);
  if ('url' in button) {
    if (button.url.length > limits.buttonUrl)
      throw new Error(`A button's address is longer than ${limits.buttonUrl}: ${button.url}`);
    return { type: ComponentType.Button, style: ButtonStyle.Link, label, url: button.url };
  }
  const custom_id = encodeActionId(button.action);
  return { type: ComponentType.Button, style: styles[button.style], label, custom_id };
}

function display(content: string) {
  return { type: ComponentType.TextDisplay as const, content };
}

/** Turns the text into a single line, because headings and small print end at a line break. */
function oneLine(markdown: string): string {
  return markdown.replace(/\s*\n\s*/g, ' ');
}

/** The number of components, including nested components. */
function countOf(components: readonly object[]): number {
  const nested = (one: object) =>
    'components' in one && Array.isArray(one.components) ? one.components : [];
  return components.reduce((count, one) => count + 1 + countOf(nested(one)), 0);
}

function check(top: APIMessageTopLevelComponent): void {
  const ids = new Set<string>();
  const visit = (component: object) => {
    if ('custom_id' in component && typeof component.custom_id === 'string') {
      if (ids.has(component.custom_id)) throw new Error(`Two buttons do the same: ${component.custom_id}`);
      ids.add(component.custom_id);
    }
    if ('components' in component && Array.isArray(component.components)) component.components.forEach(visit);
  };
  visit(top);
  const count = countOf([top]);
  if (count > limits.components)
    throw new Error(`A message of ${count} components; Discord allows ${limits.components}`);
}
