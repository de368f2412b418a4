/** Ids, types and the REST error of the local Discord. */

export const ids = {
  application: '100000000000000001',
  bot: '100000000000000001',
  guild: '200000000000000001',
  foreignGuild: '200000000000000002',
  channel: '400000000000000001',
  foreignChannel: '400000000000000002',
  directChannel: '400000000000000003',
} as const;

/** The roles of the team's server that settings name. */
export const roleIds = {
  operators: '300000000000000001',
  readers: '300000000000000002',
  bot: '300000000000000003',
} as const;

export const BOT_TOKEN = 'local-discord-bot-token';

export const flags = { ephemeral: 64, loading: 128, componentsV2: 32768 } as const;

/** Permission bits (Discord developer reference, "Permissions"). */
export const permissions = {
  administrator: 1n << 3n,
  manageGuild: 1n << 5n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  sendMessagesInThreads: 1n << 38n,
} as const;

export const allowedToPost =
  permissions.viewChannel |
  permissions.sendMessages |
  permissions.sendMessagesInThreads |
  permissions.embedLinks |
  permissions.attachFiles |
  permissions.readMessageHistory;

/** An error in an answer of Discord's REST API. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Component {
  readonly type: number;
  readonly id?: number;
  readonly custom_id?: string;
  readonly label?: string;
  readonly url?: string;
  readonly content?: string;
  readonly disabled?: boolean;
  readonly placeholder?: string;
  readonly options?: readonly { readonly label: string; readonly value: string }[];
  /** Used only in a field of a modal. */
  readonly required?: boolean;
  /** Used only in a label of a modal. */
  readonly component?: Component;
  readonly file?: { readonly url: string };
  readonly items?: readonly {
    readonly media: { readonly url: string };
    readonly description?: string | null;
  }[];
  readonly components?: readonly Component[];
}

/** A modal that the bot has opened. */
export interface Modal {
  readonly custom_id: string;
  readonly title: string;
  readonly components: readonly Component[];
}

/** The parts of a request body that make up a message. */
export interface MessageBody {
  readonly content?: string | null;
  readonly embeds?: readonly unknown[] | null;
  readonly flags?: number | null;
  readonly components?: readonly Component[] | null;
  readonly allowed_mentions?: { parse?: string[]; users?: string[]; replied_user?: boolean } | null;
  readonly attachments?: readonly { id: string; filename?: string }[] | null;
  readonly nonce?: string | null;
  readonly enforce_nonce?: boolean | null;
  readonly message_reference?: { message_id: string; fail_if_not_exists?: boolean } | null;
}

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly content: string;
}

export interface StoredMessage {
  readonly id: string;
  readonly channel: string;
  flags: number;
  content: string;
  components: readonly Component[];
  files: StoredFile[];
  /** The only person who can see an ephemeral message. */
  readonly onlyFor: string | undefined;
  /** The person who wrote the message. Absent for a message of the bot. */
  readonly author?: { readonly id: string; readonly username: string; readonly global_name: string };
  readonly parent: string | undefined;
  pings: readonly string[];
  edits: number;
  readonly createdAt: number;
}

export interface User {
  readonly id: string;
  readonly name: string;
  /** The server of the interaction. Undefined for a direct message. */
  readonly guild: string | undefined;
  readonly channel: string;
  roles: readonly string[];
  permissions: bigint;
}

export interface StoredInteraction {
  readonly id: string;
  readonly token: string;
  readonly user: User;
  readonly channel: string;
  readonly createdAt: number;
  /** The message whose button was pressed. */
  readonly source: StoredMessage | undefined;
  /**
   * `typing` means that a person is typing, and `modal` means that a person has submitted a modal. The kind decides
   * which answers are allowed.
   */
  readonly kind: 'plain' | 'typing' | 'modal';
  /** The suggestions for a person who is typing. */
  choices?: readonly { readonly name: string; readonly value: string }[];
  /** The form that the interaction opened. */
  modal?: Modal;
  acknowledged: number | undefined;
  /** The message to which `@original` refers. */
  original: StoredMessage | undefined;
  /** The number of answers with the token after the first response. */
  answers: number;
}

export function* walk(components: readonly Component[]): Generator<Component> {
  for (const component of components) {
    yield component;
    yield* walk(component.components ?? []);
  }
}
