/**
 * A person's hands and eyes on a platform, for tests that run on all platforms from a single file. Each driver starts
 * local servers that speak the real protocol to the real SDK.
 */
export interface ChatDriver {
  readonly platform: 'discord' | 'slack' | 'console';
  /** Settings that point the bot at this driver's servers, with its tokens. */
  readonly environment: Readonly<Record<string, string>>;
  /** Once the bot is up, e.g. to wait for the gateway or socket connection, or to learn the bot's own port. */
  ready(bot: { readonly url: string }): Promise<void>;
  /** Types a slash command in the team's channel, `stop` or `tags add`. Resolves when the platform has its first response. */
  command(persona: Persona, name: string, values?: Values): Promise<void>;
  /** Presses the newest visible button with this label. Resolves when the platform has its first response. */
  press(persona: Persona, label: string): Promise<void>;
  /** The channel's public messages, oldest first, as they stand now (edits applied). */
  channel(): VisibleMessage[] | Promise<VisibleMessage[]>;
  /** The ephemeral answers to this person, oldest first. */
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

/** A person's hands for menus, forms and suggestions, where the platform has them. */
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
  /** Slack: the texts at the fields of the form that was submitted last. */
  mistakes(): Readonly<Record<string, string>>;
  /** Slack: presses the button for more inside the open form, in which these values have been entered. */
  more(persona: Persona, values?: Readonly<Record<string, string>>): Promise<void>;
  /** Submits the same form once more: Discord's gateway repeats the interaction, a person on Slack presses again. */
  submitAgain(persona: Persona): Promise<void>;
  /** Picks the choice with this label from the newest visible menu with such a choice. */
  choose(persona: Persona, label: string): Promise<void>;
  /** The suggestions for a person who has typed this much of an option: on Slack in the form that was opened last. */
  suggested(persona: Persona, command: string, option: string, typed: string): Promise<readonly string[]>;
  /** Like `suggested`, with the texts that the person sees. `given`: the values of the other options or fields. */
  offered(
    persona: Persona,
    command: string,
    option: string,
    typed: string,
    given?: Values,
  ): Promise<readonly Offered[]>;
}

/** A person's hands for the menus of messages, where the platform has them. */
export interface MenuHands {
  /** Chooses an entry from the menu of a message, given by id. Resolves when the platform has its first response. */
  fromMenu(persona: Persona, message: string, entry: string): Promise<void>;
  /** Writes a message of the person's own in the team's channel. Resolves with the id of the message. */
  write(persona: Persona, text: string): Promise<string>;
}

/**
 * stranger: belongs to a server or workspace that the bot does not serve, and shares no channel with the bot's own;
 * guest: a restricted member (on Discord, which has no guests, a member without roles); elsewhere: a person of a
 * foreign server or workspace, yet in the same channel (Slack Connect), or in a direct message; member: a full member
 * without any group; reader, operator: through a group; admin: Manage Server, workspace admin.
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

/** Access groups known to every driver; `environment` does not name them: see `groupIds`. */
export type Group = 'operators' | 'readers';

export type Values = Readonly<Record<string, string | number | boolean>>;

export interface VisibleMessage {
  readonly id: string;
  /** All text of the message that a person can read, in reading order, with markup as the platform got the markup. */
  readonly text: string;
  /** Labels of the message's buttons that can be pressed. */
  readonly buttons: readonly string[];
  /** The message above, if the message is a reply. */
  readonly parent?: string;
  /** Ids of persons this message really pings. */
  readonly pings: readonly string[];
  /** The text of a text file, or the bytes of any other file in base64: see `contentOf`. */
  readonly files: readonly { readonly name: string; readonly content: string }[];
  /** The number of edits after the message was posted. */
  readonly edits: number;
}

export function contentOf(type: string, bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): string {
  const buffer = Buffer.from(new Uint8Array(bytes));
  return buffer.toString(type.startsWith('text/') ? 'utf8' : 'base64');
}
