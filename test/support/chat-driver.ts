/**
 * Types, presses buttons and reads messages on a platform like a person. With drivers, one test file runs on all
 * platforms. Each driver starts local servers that speak the real protocol with the real SDK.
 */
export interface ChatDriver {
  readonly platform: 'discord' | 'slack' | 'console';
  /** Settings with the addresses of this driver's servers and with its tokens. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Called when the bot has started. For example, the driver then waits for the bot's connection or gets the bot's
   * port.
   */
  ready(bot: { readonly url: string }): Promise<void>;
  /**
   * Types a slash command in the team's channel, for example `stop` or `tags add`. Resolves when the platform has
   * received the first response.
   */
  command(persona: Persona, name: string, values?: Values): Promise<void>;
  /** Presses the newest visible button with this label. Resolves when the platform has received the first response. */
  press(persona: Persona, label: string): Promise<void>;
  /** The public messages of the channel with all edits applied, oldest first. */
  channel(): VisibleMessage[] | Promise<VisibleMessage[]>;
  /** The private answers to this person, oldest first. */
  privately(persona: Persona): VisibleMessage[] | Promise<VisibleMessage[]>;
  /** From now on, the person has exactly these access groups (`operators`, `readers`). */
  regroup(persona: Persona, groups: readonly Group[]): void | Promise<void>;
  close(): Promise<void>;
}

/** A suggestion as the person sees it. */
export interface Offered {
  readonly label: string;
  readonly value: string;
}

/** Uses menus, forms and suggestions like a person, on platforms that have them. */
export interface FormHands {
  /** The title and fields of the form that was opened last. */
  form(): { readonly title: string; readonly fields: readonly string[] } | undefined;
  /** The number of times that a form was opened or changed. */
  opened(): number;
  /** The value that this field of the open form shows. An empty string if the field is empty. */
  shown(field: string): string;
  /**
   * Submits the open form. Fields that `values` does not contain stay unchanged. Resolves when the platform has
   * received the first response.
   */
  fillIn(persona: Persona, values: Readonly<Record<string, string>>): Promise<void>;
  /** On Slack, the error texts at the fields of the form that was submitted last. */
  mistakes(): Readonly<Record<string, string>>;
  /** On Slack, enters these values in the open form and then presses the button "More options". */
  more(persona: Persona, values?: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Submits the same form once more. On Discord, the gateway repeats the interaction. On Slack, the person presses
   * again.
   */
  submitAgain(persona: Persona): Promise<void>;
  /** Chooses the option with this label from the newest visible menu that contains it. */
  choose(persona: Persona, label: string): Promise<void>;
  /**
   * The suggested values for an option of which a person has typed `typed`. On Slack, the person types in the form that
   * was opened last.
   */
  suggested(persona: Persona, command: string, option: string, typed: string): Promise<readonly string[]>;
  /**
   * The same suggestions, but with the labels that the person sees. `given` contains the values of the other options or
   * fields.
   */
  offered(
    persona: Persona,
    command: string,
    option: string,
    typed: string,
    given?: Values,
  ): Promise<readonly Offered[]>;
}

/** Uses the menus of messages like a person, on platforms that have such menus. */
export interface MenuHands {
  /**
   * Chooses an action from the menu of the message with this id. Resolves when the platform has received the first
   * response.
   */
  fromMenu(persona: Persona, message: string, entry: string): Promise<void>;
  /** Posts a message of this person in the team's channel. Resolves with the id of the message. */
  write(persona: Persona, text: string): Promise<string>;
}

/**
 * `stranger` belongs to a server or workspace that the bot does not serve. `elsewhere` also belongs there, but writes
 * in the team's channel (Slack Connect) or in a direct message. `guest` is a restricted member. Discord has no guests,
 * so on Discord `guest` is a member without roles. `member` is a full member without any group. `reader` and `operator`
 * belong to a group. `admin` has the permission Manage Server, or is an admin of the workspace.
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

/** The access groups that every driver has. `environment` does not contain their settings, see `groupIds`. */
export type Group = 'operators' | 'readers';

export type Values = Readonly<Record<string, string | number | boolean>>;

export interface VisibleMessage {
  readonly id: string;
  /** The whole text of the message in reading order. The markup is unchanged. */
  readonly text: string;
  /** The labels of the message's buttons that are not disabled. */
  readonly buttons: readonly string[];
  /** If the message is a reply, the id of the message to which it replies. */
  readonly parent?: string;
  /** The ids of the people whom this message pings. */
  readonly pings: readonly string[];
  /** For a text file, the content is its text. For any other file, the content is in base64: see `contentOf`. */
  readonly files: readonly { readonly name: string; readonly content: string }[];
  /** How many times the message was edited. */
  readonly edits: number;
}

export function contentOf(type: string, bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): string {
  const buffer = Buffer.from(new Uint8Array(bytes));
  return buffer.toString(type.startsWith('text/') ? 'utf8' : 'base64');
}
