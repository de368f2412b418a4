/**
 * Messages in a form that does not depend on a platform. A renderer in each adapter turns a message into the platform's
 * own format.
 *
 * A plain string is always literal text. Renderers escape the string, so that text from a person, a log line or an API
 * can never format, link or ping. Markup exists only as the objects below.
 */
export type Inline =
  | string
  | { readonly bold: string }
  | { readonly code: string }
  | Typed
  | { readonly link: string; readonly text: string }
  /**
   * Pings this person. `mention` is the person's id on the platform. Allowed only if the message answers a request of
   * this person.
   */
  | { readonly mention: string; readonly name: string }
  /**
   * Names this person without a ping. If every mention on a platform pings, the adapter shows the name as plain text.
   */
  | { readonly person: string; readonly name: string }
  /** A channel, given by its id on the platform. Platforms that can resolve ids show the channel's name. */
  | { readonly channel: string }
  | Instant;

/**
 * An instant, in epoch milliseconds, shown in the reader's own time: `relative` as "3 minutes ago", `clock` as the time
 * of day with the date. A platform may leave out today's date. `until` is for a future instant. A platform that keeps
 * the text up to date shows `until` as "in 3 minutes", and any other platform as a time of day.
 */
export interface Instant {
  readonly time: number;
  readonly style: 'relative' | 'until' | 'clock';
}

/**
 * A command, or options of a command, as people type them in the terminal: `logs @last --lines 50` or `--near
 * Montreal`. Each adapter shows the text as people type it in the channel of the message. `id` is set only by an
 * adapter whose platform can link to the command.
 */
export interface Typed {
  readonly typed: string;
  readonly id?: string;
}

export type Rich = readonly Inline[];

export type Tone = 'neutral' | 'progress' | 'success' | 'warning' | 'danger';

/** Names the code that a button runs: an action of a command, with a short argument. */
export interface ActionRef {
  readonly command: string;
  readonly action: string;
  readonly arg: string;
}

export type Button =
  | { readonly label: string; readonly style: 'primary' | 'secondary' | 'danger'; readonly action: ActionRef }
  | { readonly label: string; readonly url: string };

/**
 * A choice of a menu. `value` is for the code and has at most 75 characters (Slack's limit). `label` is for people.
 * Platforms with menus show `detail` below the label.
 */
export interface Choice {
  readonly label: string;
  readonly detail?: string;
  readonly value: string;
}

/** A menu. The chosen value is passed to the code that `action` names. */
export interface Select {
  readonly kind: 'select';
  /** The text of the menu until a person chooses a value. */
  readonly placeholder: string;
  readonly choices: readonly Choice[];
  readonly action: ActionRef;
}

export type Node =
  | { readonly kind: 'text'; readonly text: Rich }
  /** Text in small print. */
  | { readonly kind: 'note'; readonly text: Rich }
  /** With `columns`, a platform with enough room shows short fields in two columns. */
  | { readonly kind: 'fields'; readonly fields: readonly Field[]; readonly columns?: true }
  | Table
  /**
   * Monospaced text, shown exactly as given. If the text is too long, `keep` says whether its start or its end is
   * shown. `folded` is a title, below which the text is hidden until a person unfolds it, on platforms that can fold
   * text.
   */
  | {
      readonly kind: 'code';
      readonly text: string;
      readonly keep: 'start' | 'end';
      readonly folded?: string;
    }
  /**
   * A picture, given by the name of one of the card's files. `alt` describes the picture in words, and is shown if the
   * file is missing. `drawn` is the picture in characters, for a platform that shows text only. The widest drawing
   * comes first.
   */
  | {
      readonly kind: 'image';
      readonly file: string;
      readonly alt: string;
      readonly drawn?: readonly string[];
    }
  | Steps
  | { readonly kind: 'divider' }
  | { readonly kind: 'buttons'; readonly buttons: readonly Button[] }
  | Select;

export interface Table {
  readonly kind: 'table';
  /** The name of the table for screen readers. With a caption, Slack shows a table in which a person can sort the rows. */
  readonly caption?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Each row as text, for platforms on which a table with many columns does not fit. */
  readonly entries?: readonly Rich[];
}

/** The steps of a long operation, in their order. `title` says in one line how far the operation has come. */
export interface Steps {
  readonly kind: 'steps';
  readonly title: string;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly title: string;
  readonly state: 'waiting' | 'active' | 'done' | 'failed';
}

export interface Field {
  readonly label: string;
  readonly value: Rich;
}

/** A framed message with a title. */
export interface Card {
  readonly kind: 'card';
  readonly tone: Tone;
  readonly title: Rich;
  readonly nodes: readonly Node[];
  readonly files?: readonly CardFile[];
}

/** A message of one line, for news about the deployment of a card. */
export interface Line {
  readonly kind: 'line';
  readonly tone: Tone;
  readonly text: Rich;
}

export type Message = Card | Line;

/** A file that is sent together with a card. `type` is a media type. */
export interface CardFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const SIGNS = { waiting: '○', active: '▸', done: '✓', failed: '✗' } as const;

/** The steps as one line of text, for platforms that cannot show steps. */
export function stepsText({ steps }: Steps): Rich {
  return steps.flatMap(({ title, state }, index): Rich => {
    const text = `${SIGNS[state]} ${title}`;
    return [index === 0 ? '' : ' → ', state === 'active' || state === 'failed' ? { bold: text } : text];
  });
}

export function textFile(name: string, text: string): CardFile {
  return { name, type: 'text/plain; charset=utf-8', bytes: new TextEncoder().encode(text) };
}

/** The person who asked, and the command, together with its target if the target is known. */
export interface Attribution {
  readonly id: string;
  readonly name: string;
  readonly command: string;
}

/** Puts the person and the command in front of a message that is not a reply to the invocation. */
export function attributed(message: Message, { id, name, command }: Attribution): Message {
  const by: Rich = [{ mention: id, name }, ': ', { code: command }];
  // If the message mentions the person already, nothing is added.
  if (JSON.stringify(message).includes(JSON.stringify(by[0]))) return message;
  if (message.kind === 'line') return { ...message, text: [...by, ': ', ...message.text] };
  return { ...message, nodes: [{ kind: 'text', text: by }, ...message.nodes] };
}

/**
 * Applies `change` to the text of an inline. A person, a channel and a time have no text, so they stay unchanged. A
 * command stays unchanged, too, because a person may copy the command.
 */
export function withText(inline: Inline, change: (text: string) => string): Inline {
  if (typeof inline === 'string') return change(inline);
  if ('bold' in inline) return { bold: change(inline.bold) };
  if ('code' in inline) return { code: change(inline.code) };
  if ('link' in inline) return { ...inline, text: change(inline.text) };
  return inline;
}

/** The text without markup, for notifications, logs and screen readers. */
export function plainText(rich: Rich): string {
  return rich.map((inline) => plainInline(inline)).join('');
}

function plainInline(inline: Inline): string {
  if (typeof inline === 'string') return inline;
  if ('bold' in inline) return inline.bold;
  if ('code' in inline) return inline.code;
  if ('typed' in inline) return inline.typed;
  if ('link' in inline) return inline.text;
  if ('mention' in inline || 'person' in inline) return inline.name;
  if ('channel' in inline) return `#${inline.channel}`;
  return new Date(inline.time).toISOString();
}
