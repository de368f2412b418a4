import type { types } from '@slack/bolt';
import { encodeActionId } from '../../chat/action-id.ts';
import {
  type Button,
  type Card,
  type Field,
  type Inline,
  type Message,
  type Node,
  plainText,
  type Rich,
  type Steps,
  stepsText,
  type Table,
  type Tone,
  withText,
} from '../../chat/card.ts';
import { inOneDirection } from '../../chat/direction.ts';
import { largest, shorten } from '../../chat/shorten.ts';
import { aligned, cutEnd, oneLine } from '../../chat/text.ts';
import { cutLines, visible } from './cut.ts';
import { dataTable, isDataTable } from './data-table.ts';
import { fallbackText } from './fallback.ts';
import { selectElement } from './form.ts';
import { LIMITS } from './limits.ts';
import { accepted, richElements } from './rich-text.ts';
import { mrkdwnOf, smallPrint } from './small-print.ts';

/**
 * The emoji at the start of a message shows the tone of the message. A coloured bar would need an attachment, and Slack
 * folds attachments behind "Show more".
 */
export const TONE_EMOJI: Readonly<Record<Tone, string>> = {
  neutral: '',
  progress: '⏳',
  success: '🟢',
  warning: '⚠️',
  danger: '🔴',
};

/**
 * The bot never cuts a text to fewer characters than this. If a message is still too long, the bot leaves out whole
 * fields and other parts.
 */
const SHORTEST = 40;

/**
 * Renders a message within Slack's limits. Cuts texts that are too long. If cutting is not enough, leaves out fields
 * and other parts. Throws if the message has more nodes or buttons than Slack accepts. `text` is for notifications and
 * screen readers. The new blocks in `takes` are used only if the whole message then fits without cutting.
 */
export function render(message: Message, takes: NewBlocks = {}) {
  const shown = inOneDirection(message);
  const laid = laidOut(shown, takes);
  const isNew =
    laid.kind === 'card' &&
    laid.nodes.some((node) => node.kind === 'table' || node.kind === 'steps' || isFolded(node));
  const rich = isNew ? blocksOf(laid, Number.POSITIVE_INFINITY) : [];
  const isRich = rich.length > 0 && rich.length <= LIMITS.blocks && fits(rich);
  return { text: fallbackText(shown), blocks: isRich ? rich : fitted(isNew ? laidOut(shown) : laid) };
}

/**
 * The new types of Slack's blocks that a workspace accepts. Data tables show tables with a caption, containers show
 * folded code, and plans show steps.
 */
export interface NewBlocks {
  readonly dataTables?: boolean;
  readonly containers?: boolean;
  readonly plans?: boolean;
}

/** Whether the message is within Slack's limits without cutting. */
export function fitsWhole(message: Message): boolean {
  return fits(blocksOf(laidOut(message), Number.POSITIVE_INFINITY));
}

/**
 * Replaces tables and steps by lines of text, and unfolds folded code. If `takes` permits a new block for a node,
 * leaves the node unchanged. Runs before `fitted` tries many lengths, so that the slow measuring of table cells is not
 * repeated for each length.
 */
function laidOut(
  message: Message,
  { dataTables = false, containers = false, plans = false }: NewBlocks = {},
): Message {
  if (message.kind === 'line') return message;
  return {
    ...message,
    nodes: message.nodes.map((node) => {
      if (node.kind === 'steps') return plans ? node : { kind: 'text', text: stepsText(node) };
      if (node.kind === 'table') return dataTables && isDataTable(node) ? node : tableLines(node);
      return isFolded(node) && !containers ? { kind: node.kind, text: node.text, keep: node.keep } : node;
    }),
  };
}

function isFolded(node: Node): node is Extract<Node, { kind: 'code' }> & { readonly folded: string } {
  return node.kind === 'code' && node.folded !== undefined;
}

/** Cuts all texts of the message to the same length: the greatest length at which all blocks fit. */
function fitted(message: Message): types.KnownBlock[] {
  const whole = blocksOf(message, Number.POSITIVE_INFINITY);
  if (whole.length > LIMITS.blocks) throw new Error(`More than ${LIMITS.blocks} blocks in a Slack message`);
  if (fits(whole)) return whole;
  const most = largest(1, LIMITS.blocksJson, (count) => fits(blocksOf(shorten(message, count), SHORTEST)));
  if (most === undefined) throw new Error('A Slack message with more structure than fits');
  const short = shorten(message, most);
  const longest = largest(SHORTEST, LIMITS.blocksJson, (length) => fits(blocksOf(short, length)));
  return blocksOf(short, longest ?? SHORTEST);
}

function fits(blocks: readonly types.KnownBlock[]): boolean {
  return JSON.stringify(blocks).length <= LIMITS.blocksJson;
}

function blocksOf(message: Message, longest: number): types.KnownBlock[] {
  const cut = (rich: Rich): Rich => rich.map((inline) => cutInline(inline, longest));
  if (message.kind === 'line') return section([...iconOf(message.tone), ...cut(message.text)]);
  return cardBlocks(message, longest, cut);
}

function cutInline(inline: Inline, longest: number): Inline {
  const cut = withText(inline, (text) => cutEnd(text, longest));
  return typeof cut === 'object' && 'link' in cut && cut.link.length > LIMITS.url ? cut.text : accepted(cut);
}

function cardBlocks(card: Card, longest: number, cut: (rich: Rich) => Rich): types.KnownBlock[] {
  let buttons = 0;
  const blocks = titleBlocks(card, cut);
  for (const node of card.nodes) {
    blocks.push(...nodeBlocks(node, longest, cut, buttons));
    if (node.kind === 'buttons') buttons += node.buttons.length;
    if (node.kind === 'select') buttons += 1;
  }
  return blocks;
}

/** A header block accepts only plain text, so a title with a mention or a time becomes a bold line. */
function titleBlocks({ tone, title }: Card, cut: (rich: Rich) => Rich): types.KnownBlock[] {
  const words = [...iconOf(tone), ...cut(title)];
  const plain = title.every(
    (inline) => typeof inline === 'string' || 'bold' in inline || 'code' in inline || 'typed' in inline,
  );
  const text = cutEnd(plainText(words).trim(), LIMITS.header);
  if (!plain) return section(words, true);
  return text === '' ? [] : [{ type: 'header', text: { type: 'plain_text', text, emoji: false } }];
}

function nodeBlocks(
  node: Node,
  longest: number,
  cut: (rich: Rich) => Rich,
  firstButton: number,
): types.KnownBlock[] {
  switch (node.kind) {
    case 'text':
      return section(cut(node.text));
    case 'note':
    // files.ts sends the picture itself, so the card only names the picture.
    case 'image': {
      const block = smallPrint(cut(node.kind === 'note' ? node.text : [`Picture ${node.file}: ${node.alt}`]));
      return block ? [block] : [];
    }
    case 'fields':
      return fieldBlocks(node, longest, cut);
    case 'steps':
      return [plan(node)];
    case 'table':
      return [dataTable(node)];
    case 'code':
      return folded(node.folded, preformatted(cutLines(visible(node.text), longest, node.keep)));
    case 'divider':
      return [{ type: 'divider' }];
    case 'buttons':
      return buttonBlocks(node.buttons, firstButton);
    case 'select': {
      if (node.choices.length === 0) return [];
      const id = `${firstButton}:${encodeActionId(node.action)}`;
      return [{ type: 'actions', elements: [selectElement(node, id)] }];
    }
    default:
      return node satisfies never;
  }
}

type Fields = Extract<Node, { kind: 'fields' }>;

/**
 * Shows neighbouring fields side by side in two columns, if each of the fields fits into a cell. Any other field gets a
 * line of its own.
 */
function fieldBlocks(
  { fields, columns }: Fields,
  longest: number,
  cut: (rich: Rich) => Rich,
): types.KnownBlock[] {
  const cells = fields.map((field) => (columns ? cellOf(field) : undefined));
  const isCell = (index: number) => Boolean(cells[index] && (cells[index - 1] || cells[index + 1]));
  const blocks: types.KnownBlock[] = [];
  for (let from = 0; from < fields.length; ) {
    let to = from + 1;
    while (to < fields.length && isCell(to) === isCell(from) && to - from < LIMITS.fields) to++;
    const run = fields.slice(from, to);
    if (isCell(from))
      blocks.push({ type: 'section', fields: cells.slice(from, to).filter((cell) => !!cell) });
    else blocks.push(...section(run.flatMap((field, index) => lineOf(field, index, longest, cut))));
    from = to;
  }
  return blocks;
}

function lineOf({ label, value }: Field, index: number, longest: number, cut: (rich: Rich) => Rich): Rich {
  return [index === 0 ? '' : '\n', { bold: `${cutEnd(label, longest)}:` }, ' ', ...cut(value)];
}

/**
 * The field as a cell for one of two columns. Undefined if the field is too long, or if mrkdwn cannot show its text.
 * Also undefined if the value is bold, because a bold value is the main fact of a card and gets a line of its own.
 */
function cellOf({ label, value }: Field): types.MrkdwnElement | undefined {
  const isBold = value.some((inline) => typeof inline === 'object' && 'bold' in inline);
  if (isBold || Math.max(label.length, plainText(value).length) > LIMITS.cell) return undefined;
  const [name, shown] = [mrkdwnOf([{ bold: label }]), mrkdwnOf(value.map(accepted))];
  const text = `${name}\n${shown}`;
  return name && shown && text.length <= LIMITS.fieldText
    ? { type: 'mrkdwn', text, verbatim: true }
    : undefined;
}

/**
 * Shows a table as lines of text. A message can contain only one of Slack's own table blocks, at the end (table block
 * reference), but a card may contain several tables.
 */
function tableLines(table: Table): Node {
  return { kind: 'code', text: aligned(table, oneLine).join('\n'), keep: 'start' };
}

function section(rich: Rich, bold = false): types.KnownBlock[] {
  const elements = richElements(rich, bold);
  if (elements.length === 0) return [];
  return [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] }];
}

const STATUSES = { waiting: 'pending', active: 'in_progress', done: 'complete', failed: 'error' } as const;

function plan({ title, steps }: Steps): types.PlanBlock {
  const tasks = steps.map((step, index): types.TaskCardBlock => {
    const words = cutEnd(step.title, LIMITS.task);
    return { type: 'task_card', task_id: String(index), title: words, status: STATUSES[step.state] };
  });
  return { type: 'plan', title: cutEnd(title, LIMITS.task), tasks };
}

function preformatted(text: string): types.RichTextBlock[] {
  if (text.trim() === '') return [];
  return [
    { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text }] }] },
  ];
}

/** If the text has a title, puts the text into a container that people can unfold. */
function folded(title: string | undefined, child_blocks: types.RichTextBlock[]): types.KnownBlock[] {
  if (title === undefined || child_blocks.length === 0) return child_blocks;
  const text = cutEnd(title, LIMITS.container);
  const fold = { is_collapsible: true, default_collapsed: true };
  return [{ type: 'container', title: { type: 'plain_text', text, emoji: false }, ...fold, child_blocks }];
}

function buttonBlocks(buttons: readonly Button[], first: number): types.KnownBlock[] {
  const elements = buttons.map((button, index) => buttonElement(button, first + index));
  const blocks: types.KnownBlock[] = [];
  for (let from = 0; from < elements.length; from += LIMITS.actions)
    blocks.push({ type: 'actions', elements: elements.slice(from, from + LIMITS.actions) });
  return blocks;
}

/**
 * Slack requires a different action_id for each button of a message, but two buttons may have the same action. The
 * action_id therefore contains the number of the button.
 */
function buttonElement(button: Button, index: number): types.Button {
  const text = { type: 'plain_text', text: cutEnd(button.label, LIMITS.button), emoji: false } as const;
  if ('url' in button) {
    if (button.url.length > LIMITS.url)
      throw new Error(`A button's URL longer than ${LIMITS.url} characters`);
    return { type: 'button', text, url: button.url, action_id: `${index}:url` };
  }
  const style = button.style === 'secondary' ? {} : { style: button.style };
  return { type: 'button', text, action_id: `${index}:${encodeActionId(button.action)}`, ...style };
}

function iconOf(tone: Tone): Rich {
  return TONE_EMOJI[tone] === '' ? [] : [`${TONE_EMOJI[tone]} `];
}
