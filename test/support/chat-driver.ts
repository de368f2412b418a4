/**
 * Types, presses buttons and reads messages on a platform as a person does. With drivers, one test file runs on all
 * platforms. Each driver starts local servers that speak the real protocol with the real SDK.
 */
export interface ChatDriver {
  readonly platform: 'discord' | 'slack' | 'console';
  /** Settings that point the bot at this driver's servers, with its tokens. */
  readonly environment: Readonly<Record<string, string>>;
  /** Called when the bot has started, for example to wait for the bot's connection or to get the bot's port. */
  ready(bot: { readonly url: string }): Promise<void>;
  /** Types a slash command in the team's channel, `stop` or `tags add`. Resolves when the platform has its first response. */
  command(persona: Persona, name: string, values?: Values): Promise<void>;
  /** Presses the newest visible button with this label. Resolves when the platform has its first response. */
  press(persona: Persona, label: string): Promise<void>;
  /** The public messages of the channel after all edits, the oldest first. */
  channel(): VisibleMessage[] | Promise<VisibleMessage[]>;
  /** The private answers to this person, the oldest first. */
  privately(persona: Persona): VisibleMessage[] | Promise<VisibleMessage[]>;
  /** Gives the person exactly these access groups (`operators`, `readers`) from now on. */
  regroup(persona: Persona, groups: readonly Group[]): void | Promise<void>;
  close(): Promise<void>;
}

/** A suggestion as the person sees it. */
export interface Offered {
  readonly label: string;
  readonly value: string;
}

/** Uses menus, forms and suggestions as a person does, on platforms that have them. */
export interface FormHands {
  /** The form that was opened last: its title and fields. */
  form(): { readonly title: string; readonly fields: readonly string[] } | undefined;
  /** How often a form was opened or changed. */
  opened(): number;
  /** The value that this field of the open form shows. Empty if the field is empty. */
  shown(field: string): string;
  /**
   * Submits the open form. Fields without a value here stay as the form shows them. Resolves when the platform has its
   * first response.
   */
  fillIn(persona: Persona, values: Readonly<Record<string, string>>): Promise<void>;
  /** On Slack, the texts at the fields of the form that was submitted last. */
  mistakes(): Readonly<Record<string, string>>;
  /** On Slack, enters these values in the open form, and then presses the button "More options". */
  more(persona: Persona, values?: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Submits the same form once more. On Discord, the gateway repeats the interaction. On Slack, the person presses
   * again.
   */
  submitAgain(persona: Persona): Promise<void>;
  /** Picks the choice with this label from the newest visible menu with such a choice. */
  choose(persona: Persona, label: string): Promise<void>;
  /**
   * The suggestions for a person who has typed this part of an option. On Slack, the person types in the form that was
   * opened last.
   */
  suggested(persona: Persona, command: string, option: string, typed: string): Promise<readonly string[]>;
  /** Like `suggested`, with the texts that the person sees. `given` holds the values of the other options or fields. */
  offered(
    persona: Persona,
    command: string,
    option: string,
    typed: string,
    given?: Values,
  ): Promise<readonly Offered[]>;
}

/** Uses the menus of messages as a person does, on platforms that have such menus. */
export interface MenuHands {
  /** Chooses an action from the menu of the message with this id. Resolves when the platform has its first response. */
  fromMenu(persona: Persona, message: string, entry: string): Promise<void>;
  /** Writes a message of this person in the team's channel. Resolves with the id of the message. */
  write(persona: Persona, text: string): Promise<string>;
}

/**
 * `stranger` belongs to a server or workspace that the bot does not serve. `elsewhere` does, too, but writes in the
 * same channel (Slack Connect) or in a direct message. `guest` is a restricted member. Discord has no guests, so on
 * Discord this is a member without roles. `member` is a full member without any group. `reader` and `operator` belong
 * to a group. `admin` has the permission Manage Server, or is an admin of the workspace.
 */
export type Persona = 'stranger' | 'guest' | 'elsewhere' | 'member' | 'reader' | 'operator' | 'admin';

export const personas: readonly Persona[] = [
  'stranger',
  'guest',
  'elsewhere',
  'member',
  'reader',
  'operator',
  'admin',
];

/** The access groups of every driver. They are not in `environment`, see `groupIds`. */
export type Group = 'operators' | 'readers';

export type Values = Readonly<Record<string, string | number | boolean>>;

export interface VisibleMessage {
  readonly id: string;
  /** All text of the message that a person can read, in reading order. Markup stays as the bot sent it. */
  readonly text: string;
  /** The labels of the buttons that a person can press. */
  readonly buttons: readonly string[];
  /** If the message is a reply, the message to which it replies. */
  readonly parent?: string;
  /** The ids of the people whom this message pings. */
  readonly pings: readonly string[];
  /** The text of a text file, or the bytes of any other file in base64: see `contentOf`. */
  readonly files: readonly { readonly name: string; readonly content: string }[];
  /** How many times the message was edited. */
  readonly edits: number;
}

export function contentOf(type: string, bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): string {
  const buffer = Buffer.from(new Uint8Array(bytes));
  return buffer.toString(type.startsWith('text/') ? 'utf8' : 'base64');
}
