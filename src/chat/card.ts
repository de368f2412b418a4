/**
 * Platform-neutral messages. A renderer in each adapter turns them into what its platform shows.
 *
 * A plain string is always literal text: renderers escape it, so nothing that came from a person,
 * a log line or an API can format, link or ping. Markup exists only as the objects below.
 */
export type Inline =
  | string
  | { readonly bold: string }
  | { readonly code: string }
  | { readonly link: string; readonly text: string }
  /** Pings this person (id on the platform). Only for the person who asked for what the message is about. */
  | { readonly mention: string; readonly name: string }
  /** A channel (id on the platform), by its name where the platform shows it. */
  | { readonly channel: string }
  /** An instant, in epoch milliseconds, shown in the reader's own time: "3 minutes ago", or day and time. */
  | { readonly time: number; readonly style: 'relative' | 'clock' };

export type Rich = readonly Inline[];

export type Tone = 'neutral' | 'progress' | 'success' | 'warning' | 'danger';

/** Names the code a button runs: an action of a command, with one short argument. */
export interface ActionRef {
  readonly command: string;
  readonly action: string;
  readonly arg: string;
}

export type Button =
  | { readonly label: string; readonly style: 'primary' | 'secondary' | 'danger'; readonly action: ActionRef }
  | { readonly label: string; readonly url: string };

/**
 * `value` is for the code, at most 75 characters (Slack); `label` is for people, with `detail` below the label where a
 * platform has menus.
 */
export interface Choice {
  readonly label: string;
  readonly detail?: string;
  readonly value: string;
}

/** A menu: the chosen value goes to the code that `action` names. */
export interface Select {
  readonly kind: 'select';
  /** Shown while nothing is chosen. */
  readonly placeholder: string;
  readonly choices: readonly Choice[];
  readonly action: ActionRef;
}

export type Node =
  | { readonly kind: 'text'; readonly text: Rich }
  /** Small print. */
  | { readonly kind: 'note'; readonly text: Rich }
  | { readonly kind: 'fields'; readonly fields: readonly Field[] }
  | Table
  /** Monospaced, shown exactly. Where it does not fit, `keep` says which end matters. */
  | { readonly kind: 'code'; readonly text: string; readonly keep: 'start' | 'end' }
  /**
   * A picture: one of the card's files, by its name. `alt` says in words what the picture shows, and is shown in place of
   * a file that is missing; `drawn` is the picture in characters, for a platform that shows text only.
   */
  | { readonly kind: 'image'; readonly file: string; readonly alt: string; readonly drawn?: string }
  | { readonly kind: 'divider' }
  | { readonly kind: 'buttons'; readonly buttons: readonly Button[] }
  | Select;

export interface Table {
  readonly kind: 'table';
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
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

/** One line of chat, for news that belongs under a card. */
export interface Line {
  readonly kind: 'line';
  readonly tone: Tone;
  readonly text: Rich;
}

export type Message = Card | Line;

/** A file that goes along with a card. `type` is a media type. */
export interface CardFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function textFile(name: string, text: string): CardFile {
  return { name, type: 'text/plain; charset=utf-8', bytes: new TextEncoder().encode(text) };
}

/** Who asked, and for what: a command's name, and what it names where that is known. */
export interface Attribution {
  readonly id: string;
  readonly name: string;
  readonly command: string;
}

/** For a place where nothing else shows whose answer it is. */
export function attributed(message: Message, { id, name, command }: Attribution): Message {
  const by: Rich = [{ mention: id, name }, ': ', { code: command }];
  // It may be said there already.
  if (JSON.stringify(message).includes(JSON.stringify(by[0]))) return message;
  if (message.kind === 'line') return { ...message, text: [...by, ': ', ...message.text] };
  return { ...message, nodes: [{ kind: 'text', text: by }, ...message.nodes] };
}

/** The same with its text changed; a mention, a channel and a time have none. */
export function withText(inline: Inline, change: (text: string) => string): Inline {
  if (typeof inline === 'string') return change(inline);
  if ('bold' in inline) return { bold: change(inline.bold) };
  if ('code' in inline) return { code: change(inline.code) };
  if ('link' in inline) return { ...inline, text: change(inline.text) };
  return inline;
}

/** What a notification, a log or a screen reader gets: the title or line without markup. */
export function plainText(rich: Rich): string {
  return rich.map((inline) => plainInline(inline)).join('');
}

function plainInline(inline: Inline): string {
  if (typeof inline === 'string') return inline;
  if ('bold' in inline) return inline.bold;
  if ('code' in inline) return inline.code;
  if ('link' in inline) return inline.text;
  if ('mention' in inline) return inline.name;
  if ('channel' in inline) return `#${inline.channel}`;
  return new Date(inline.time).toISOString();
}
