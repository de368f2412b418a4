/**
 * A person's hands and eyes on one platform, for tests that run on all of them from one file.
 * Each platform's driver starts local servers that speak the real protocol to the real SDK.
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
  /** What only this person sees: ephemeral answers, oldest first. */
  privately(persona: Persona): VisibleMessage[] | Promise<VisibleMessage[]>;
  /** Gives the person these access groups (`operators`, `readers`) from now on, in place of what they had. */
  regroup(persona: Persona, groups: readonly Group[]): void | Promise<void>;
  close(): Promise<void>;
}

/** What a person does with menus, forms and suggestions, where the platform has them. */
export interface FormHands {
  /** The form that was opened last: its title and fields. */
  form(): { readonly title: string; readonly fields: readonly string[] } | undefined;
  /** Submits that form. Resolves when the platform has its first response. */
  fillIn(persona: Persona, values: Readonly<Record<string, string>>): Promise<void>;
  /** The same submission once more: Discord's gateway sends it again, a person on Slack presses again. */
  submitAgain(persona: Persona): Promise<void>;
  /** Picks the choice with this label from the newest visible menu that has it. */
  choose(persona: Persona, label: string): Promise<void>;
  /** What is offered to a person who has typed so much of an option: on Slack in the form that was opened last. */
  suggested(persona: Persona, command: string, option: string, typed: string): Promise<readonly string[]>;
}

/**
 * stranger: belongs to a server or workspace the bot does not serve, shares none of ours;
 * guest: a restricted member (on Discord, where there are none, a member without roles);
 * elsewhere: a person who is in another server or workspace, yet in the same channel (Slack Connect), or in a direct message;
 * member: a full member without any group; reader, operator: through a group; admin: Manage Server, workspace admin.
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
  /** All text a person can read in it, in reading order, markup as the platform got it. */
  readonly text: string;
  /** Labels of its buttons that can be pressed. */
  readonly buttons: readonly string[];
  /** The message it hangs under, if any. */
  readonly parent?: string;
  /** Ids of persons this message really pings. */
  readonly pings: readonly string[];
  /** Of a text file the text, of any other file its bytes in base64: see `contentOf`. */
  readonly files: readonly { readonly name: string; readonly content: string }[];
  /** How often it was edited after it was posted. */
  readonly edits: number;
}

export function contentOf(type: string, bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): string {
  const buffer = Buffer.from(new Uint8Array(bytes));
  return buffer.toString(type.startsWith('text/') ? 'utf8' : 'base64');
}
