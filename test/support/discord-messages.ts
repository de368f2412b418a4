import { checkMessage, pingsOf } from './discord-rules.ts';
import {
  ApiProblem,
  type Component,
  flags,
  ids,
  type MessageBody,
  type StoredFile,
  type StoredMessage,
} from './discord-world.ts';

/** Discord's ids contain the milliseconds since 2015 and a consecutive number. */
const EPOCH = 1_420_070_400_000;

export interface Upload {
  readonly index: number;
  readonly name: string;
  readonly content: string;
}

export interface Look {
  readonly at: number;
  readonly message: StoredMessage;
  readonly components: readonly Component[];
}

/** All messages of the local Discord, and the requests that change them. */
export class Messages {
  /**
   * Every state of every message, oldest first. The first state of a deferred answer is the state in which it was
   * filled in.
   */
  readonly looks: Look[] = [];
  readonly #now: () => number;
  #counter = 0;
  readonly #all = new Map<string, StoredMessage>();
  readonly #nonces = new Map<string, { message: StoredMessage; at: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  snowflake(): string {
    this.#counter += 1;
    return String((BigInt(this.#now() - EPOCH) << 22n) + BigInt(this.#counter));
  }

  /** The messages in the order in which they were posted. */
  all(): StoredMessage[] {
    return [...this.#all.values()];
  }

  create(
    channel: string,
    body: MessageBody,
    uploads: readonly Upload[] = [],
    how: { onlyFor?: string; loading?: boolean; author?: StoredMessage['author'] } = {},
  ): StoredMessage {
    const key = `${channel} ${body.nonce}`;
    const before = body.nonce && body.enforce_nonce ? this.#nonces.get(key) : undefined;
    // Discord remembers a nonce "within the past few minutes" (Message Resource, "Create Message", enforce_nonce).
    if (before && this.#now() - before.at < 5 * 60_000) return before.message;
    const files = this.#store(uploads);
    if (!how.loading)
      checkMessage(
        body,
        files.map((file) => file.name),
      );
    const message: StoredMessage = {
      id: this.snowflake(),
      channel,
      flags:
        (body.flags ?? 0) |
        (how.loading ? flags.loading : 0) |
        (how.onlyFor === undefined ? 0 : flags.ephemeral),
      content: body.content ?? '',
      components: withIds(body.components ?? []),
      files,
      onlyFor: how.onlyFor,
      ...(how.author ? { author: how.author } : {}),
      parent: this.#parent(body),
      pings: how.loading ? [] : pingsOf(body),
      edits: 0,
      createdAt: this.#now(),
    };
    this.#all.set(message.id, message);
    if (!how.loading) this.#look(message);
    if (body.nonce) this.#nonces.set(key, { message, at: this.#now() });
    return message;
  }

  edit(message: StoredMessage, body: MessageBody, uploads: readonly Upload[] = []): StoredMessage {
    const kept = body.attachments
      ? message.files.filter((file) => body.attachments?.some(({ id }) => id === file.id))
      : message.files;
    const files = [...kept, ...this.#store(uploads)];
    checkMessage(
      body,
      files.map((file) => file.name),
      message.flags,
    );
    message.files = files;
    if (body.components) message.components = withIds(body.components);
    if (body.content !== undefined) message.content = body.content ?? '';
    if (message.flags & flags.loading) {
      // A deferred answer appears only when it is filled in. So filling in the answer can ping people, and does not
      // count as an edit.
      message.pings = pingsOf(body);
      message.flags &= ~flags.loading;
    } else message.edits += 1;
    message.flags |= (body.flags ?? 0) & flags.componentsV2;
    this.#look(message);
    return message;
  }

  #look(message: StoredMessage): void {
    this.looks.push({ at: this.#now(), message, components: message.components });
  }

  find(channel: string, id: string): StoredMessage {
    const message = this.#all.get(id);
    if (!message || message.channel !== channel) throw new ApiProblem(404, 10008, 'Unknown Message');
    return message;
  }

  remove(message: StoredMessage): void {
    this.#all.delete(message.id);
  }

  /** The message as Discord returns it. Only the answer to the request with the nonce contains the nonce. */
  toJson(message: StoredMessage, nonce?: string | null): object {
    return {
      id: message.id,
      type: message.parent === undefined ? 0 : 19,
      channel_id: message.channel,
      author: { ...(message.author ?? botUser) },
      content: message.content,
      flags: message.flags,
      components: message.components,
      attachments: message.files.map(({ id, name, content }) => ({
        id,
        filename: name,
        size: Buffer.byteLength(content),
        url: `https://cdn.discordapp.com/attachments/${message.channel}/${id}/${name}`,
        proxy_url: `https://media.discordapp.net/attachments/${message.channel}/${id}/${name}`,
      })),
      embeds: [],
      mentions: [],
      mention_roles: [],
      mention_everyone: false,
      pinned: false,
      tts: false,
      timestamp: new Date(message.createdAt).toISOString(),
      edited_timestamp: message.edits > 0 ? new Date(this.#now()).toISOString() : null,
      ...(message.parent === undefined
        ? {}
        : { message_reference: { type: 0, channel_id: message.channel, message_id: message.parent } }),
      ...(nonce ? { nonce } : {}),
    };
  }

  #store(uploads: readonly Upload[]): StoredFile[] {
    return uploads.map(({ name, content }) => ({ id: this.snowflake(), name, content }));
  }

  #parent(body: MessageBody): string | undefined {
    const reference = body.message_reference;
    if (!reference) return undefined;
    if (this.#all.has(reference.message_id)) return reference.message_id;
    if (reference.fail_if_not_exists !== false)
      throw new ApiProblem(400, 50035, 'Invalid Form Body: Unknown message');
    return undefined;
  }
}

export const botUser = {
  id: ids.bot,
  username: 'edgegap',
  discriminator: '0',
  global_name: 'Edgegap',
  avatar: null,
  bot: true,
  public_flags: 0,
  flags: 0,
} as const;

/** Gives each component without an id the next free number in reading order, like Discord. */
function withIds(components: readonly Component[]): Component[] {
  const taken = new Set<number>();
  const collect = (list: readonly Component[]) => {
    for (const component of list) {
      if (component.id) taken.add(component.id);
      collect(component.components ?? []);
    }
  };
  collect(components);
  let next = 0;
  const number = (list: readonly Component[]): Component[] =>
    list.map((component) => {
      let id = component.id;
      if (!id) {
        do next += 1;
        while (taken.has(next));
        id = next;
      }
      return component.components
        ? { ...component, id, components: number(component.components) }
        : { ...component, id };
    });
  return number(components);
}
