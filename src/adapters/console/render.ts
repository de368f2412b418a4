import {
  type Button,
  type Card,
  type CardFile,
  type Field,
  type Line,
  type Message,
  type Node,
  stepsText,
  type Tone,
} from '../../chat/card.ts';
import { padTo } from '../../chat/text.ts';
import { widthOf } from '../../graphemes.ts';
import { inlineLine, inlineLines, type Reader } from './inline.ts';
import { limits } from './limits.ts';
import { literalLine, literalLines } from './literal.ts';
import { fold, longestWord, paint, type SpanLine, type Style, span } from './spans.ts';
import { tableLines } from './table.ts';
import { choiceButtons } from './transcript.ts';

/** The context that decides how a message is drawn. */
export interface RenderContext extends Reader {
  readonly color: boolean;
  /** The width of the window. Undefined: do not fold lines, as in a pipe. */
  readonly columns: number | undefined;
  /** The number that a person types to press this button. */
  readonly numberOf: (button: Button) => number | undefined;
  /** The path at which the reader finds the file. */
  readonly placeOf: (file: CardFile) => string;
  /** Small print shown beside the title, e.g. `edited`. */
  readonly mark?: string;
  /** Whether the message is a reply, which is shown under the message that it answers. */
  readonly reply?: boolean;
}

const tones: Readonly<Record<Tone, { readonly sign: string; readonly style: Style }>> = {
  neutral: { sign: '•', style: 'blue' },
  progress: { sign: '◌', style: 'cyan' },
  success: { sign: '✓', style: 'green' },
  warning: { sign: '▲', style: 'yellow' },
  danger: { sign: '✗', style: 'red' },
};

/** Renders a message as lines of text. Each line is safe to print. */
export function renderMessage(message: Message, context: RenderContext): string[] {
  const lines = message.kind === 'card' ? cardLines(message, context) : newsLines(message, context);
  return lines.map((line) => paint(line, context.color));
}

function newsLines(line: Line, context: RenderContext): SpanLine[] {
  const look = tones[line.tone];
  const lead = context.reply ? '↳ ' : '';
  const [first = [], ...rest] = marked(inlineLines(line.text, context), context, widthOf(lead) + 2);
  return [
    [span(lead, 'dim'), span(`${look.sign} `, look.style), ...first],
    ...rest.map((more) => [span(' '.repeat(widthOf(lead) + 2)), ...more]),
  ];
}

function cardLines(card: Card, context: RenderContext): SpanLine[] {
  const look = tones[card.tone];
  const bar = span('│ ', look.style);
  const [title = [], ...titleRest] = marked([inlineLine(card.title, context, 'bold')], context, 5);

  const last = card.nodes.at(-1);
  const closing = last?.kind === 'buttons' ? last : undefined;
  const body = [
    ...titleRest,
    ...card.nodes.filter((node) => node !== closing).flatMap((node) => nodeLines(node, context)),
    ...(card.files ?? []).map((file) => fileLine(file, context)),
  ];
  const buttons = closing ? buttonLines(closing.buttons, context) : [];
  const [foot = [], ...spill] = buttons.toReversed();
  return [
    [span('╭─', look.style), span(` ${look.sign} `, look.style), ...title],
    ...[...body, ...spill.toReversed()].map((line) => [bar, ...line]),
    [span('╰─', look.style), ...(foot.length > 0 ? [span(' '), ...foot] : [])],
  ];
}

/** Folds the lines, and puts the mark (such as `edited`) after the text. */
function marked(lines: readonly SpanLine[], context: RenderContext, indent: number): SpanLine[] {
  const { mark } = context;
  const last = lines.at(-1);
  if (!mark || !last) return foldAll(lines, context, indent);
  return foldAll([...lines.slice(0, -1), [...last, span('  '), span(`(${mark})`, 'dim')]], context, indent);
}

function nodeLines(node: Node, context: RenderContext): SpanLine[] {
  switch (node.kind) {
    case 'text':
      return foldAll(inlineLines(node.text, context), context, 2);
    case 'note':
      return foldAll(inlineLines(node.text, context, 'dim'), context, 2);
    case 'fields':
      return fieldLines(node.fields, context);
    case 'steps':
      return foldAll(inlineLines(stepsText(node), context), context, 2);
    case 'table':
      return tableLines(node, windowFor(context, 2));
    case 'code':
      return codeLines(node.text, node.keep, context);
    // A picture is shown as its drawing, followed by a line with the file's name and the description. A different line
    // of the card shows the path of the file.
    case 'image':
      return [
        ...drawnLines(node.drawn ?? [], context),
        ...foldAll(inlineLines([`Picture ${node.file}: ${node.alt}`], context, 'dim'), context, 2),
      ];
    case 'divider':
      return [[span('─'.repeat(24), 'dim')]];
    case 'buttons':
      return buttonLines(node.buttons, context);
    case 'select':
      return [[span(literalLine(node.placeholder), 'dim')], ...buttonLines(choiceButtons(node), context)];
  }
}

/** Shows the first drawing that fits into the window, or the last drawing if no drawing fits. */
function drawnLines(drawings: readonly string[], context: RenderContext): SpanLine[] {
  const room = windowFor(context, 4) ?? Number.POSITIVE_INFINITY;
  const fitting = drawings.find((text) => text.split('\n').every((line) => widthOf(line) <= room));
  const shown = fitting ?? drawings.at(-1);
  return shown === undefined ? [] : codeLines(shown, 'start', context);
}

/**
 * Shows labels and values in two columns. The values stand below their labels if the labels are too wide, or if folding
 * would break a word, such as an address.
 */
function fieldLines(fields: readonly Field[], context: RenderContext): SpanLine[] {
  const labels = fields.map(({ label }) => literalLine(label));
  const wide = Math.max(0, ...labels.map(widthOf)) + 2;
  return fields.flatMap(({ value }, index) => {
    const label = labels[index] ?? '';
    const lines = inlineLines(value, context);
    const beside = wide <= limits.labelColumns && longestWord(lines) <= (roomFor(context, wide + 2) ?? 1e9);
    const values = foldAll(lines, context, (beside ? wide : 2) + 2);
    if (beside) return values.map((line, nth) => [span(padTo(nth === 0 ? label : '', wide), 'dim'), ...line]);
    return [...foldAll([[span(label, 'dim')]], context, 2), ...values.map((line) => [span('  '), ...line])];
  });
}

function codeLines(text: string, keep: 'start' | 'end', context: RenderContext): SpanLine[] {
  const all = literalLines(text.replace(/\r?\n$/, ''));
  const hidden = all.length - limits.codeLines;
  const shown = hidden <= 0 ? all : keep === 'end' ? all.slice(hidden) : all.slice(0, limits.codeLines);
  const lines = shown
    .flatMap((line) => fold([span(line)], windowFor(context, 4)))
    .map((line): SpanLine => [span('  '), ...line]);
  if (hidden <= 0) return lines;
  const note: SpanLine = [span(`  … ${hidden} more lines`, 'dim')];
  return keep === 'end' ? [note, ...lines] : [...lines, note];
}

function fileLine(file: CardFile, context: RenderContext): SpanLine {
  const { length } = file.bytes;
  const size = length < 1024 ? `${length} bytes` : `${Math.round(length / 1024)} KiB`;
  return [
    span(`${literalLine(file.name)}, ${size}: `, 'dim'),
    span(literalLine(context.placeOf(file)), 'underline'),
  ];
}

const buttonStyles = {
  primary: ['bold', 'cyan'],
  secondary: 'cyan',
  danger: ['bold', 'red'],
} satisfies Record<string, Style>;

function buttonLines(buttons: readonly Button[], context: RenderContext): SpanLine[] {
  const shown = buttons.map((button) => {
    const label = literalLine(button.label);
    if ('url' in button) return span(`[${label}: ${literalLine(button.url)}]`, 'underline');
    const number = context.numberOf(button);
    return span(`[${number === undefined ? '' : `#${number} `}${label}]`, buttonStyles[button.style]);
  });
  const lines: SpanLine[] = [];
  let used = 0;
  const room = roomFor(context, 3) ?? Number.POSITIVE_INFINITY;
  for (const button of shown) {
    const width = widthOf(button.text);
    if (lines.length > 0 && used + 2 + width <= room) {
      lines.push([...(lines.pop() ?? []), span('  '), button]);
      used += 2 + width;
    } else {
      lines.push([button]);
      used = width;
    }
  }
  return lines;
}

function foldAll(lines: readonly SpanLine[], context: RenderContext, indent: number): SpanLine[] {
  return lines.flatMap((line) => fold(line, roomFor(context, indent)));
}

/** The number of columns available for prose. Undefined: no limit. */
function roomFor(context: RenderContext, indent: number): number | undefined {
  const columns = windowFor(context, indent);
  return columns && Math.min(columns, limits.proseColumns - indent);
}

/** The number of columns available for tables and code, which may fill the window. Undefined: no limit. */
function windowFor({ columns }: RenderContext, indent: number): number | undefined {
  return columns && Math.max(columns, limits.leastColumns) - indent;
}
