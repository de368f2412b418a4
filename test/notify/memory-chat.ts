import type { Message } from '../../src/chat/card.ts';
import type { Adapter, Address, Capabilities, MessageRef, Outgoing, Reply } from '../../src/chat/port.ts';
import { DeliveryError, type HeldUp } from '../../src/errors.ts';

type Call = 'post' | 'edit' | 'find' | 'resume' | 'tell';

export interface Posted {
  readonly ref: MessageRef;
  readonly to: Address;
  readonly key: string;
  readonly replyTo: MessageRef | undefined;
  readonly alsoToChannel: boolean;
  readonly at: number;
  message: Message;
  edits: number;
}

/** The outcome of a failed request: the error, and whether the platform still showed the message. */
export interface ChatFault {
  readonly error: Error;
  readonly shown?: boolean;
  /** If set, only messages with this text fail. Otherwise every message fails. */
  readonly text?: string;
}

/** A chat platform in memory. It keeps running when a process dies, and fails on demand. */
export class MemoryChat {
  readonly messages: Posted[] = [];
  /** The late answers, and the direct messages (`told`) with their receivers. */
  readonly answers: { readonly reply: Reply; readonly text: string }[] = [];
  readonly told: { readonly person: string; readonly workspace: string; readonly text: string }[] = [];
  /** Every request in order of arrival: `post`, `edit`, `find`, `resume` or `tell`, with the text or the key. */
  readonly calls: string[] = [];
  readonly #now: () => number;
  readonly #faults: { call: Call; fault: ChatFault }[] = [];
  #gate: Promise<void> | undefined;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Makes the next `times` requests of this type fail. */
  fail(call: Call, fault: ChatFault, times = 1): void {
    for (let n = 0; n < times; n++) this.#faults.push({ call, fault });
  }

  /** Makes every request wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = undefined;
      resolve();
    };
  }

  get texts(): string[] {
    return this.messages.map(({ message }) => textOf(message));
  }

  adapter(
    options: {
      readonly platform?: string;
      readonly paceMs?: number;
      readonly editPaceMs?: number;
      /** The number of characters that fit into a message. */
      readonly characters?: number;
      readonly supports?: Partial<Capabilities>;
      /** Returns false after the adapter's process has died. A dead process sends no messages. */
      readonly alive?: () => boolean;
      readonly start?: Adapter['start'];
    } = {},
  ): Adapter {
    const { platform = 'memory', alive = () => true } = options;
    const supports = { idempotentPosts: false, history: true, ...options.supports };
    let connected = false;
    const take = async (call: Call, what: string): Promise<ChatFault | undefined> => {
      await this.#gate;
      if (!alive()) return await new Promise<never>(() => undefined);
      this.calls.push(`${call} ${what}`);
      const index = this.#faults.findIndex((one) => one.call === call && what.includes(one.fault.text ?? ''));
      return index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
    };
    return {
      platform,
      supports,
      paceMs: { post: options.paceMs ?? 0, edit: options.editPaceMs ?? options.paceMs ?? 0 },
      async start(handle) {
        connected = true;
        await options.start?.(handle);
      },
      stop: async () => undefined,
      async close() {
        connected = false;
      },
      healthy: () => connected,
      fits: (message) => textOf(message).length <= (options.characters ?? 4_000),
      post: async (to, outgoing) => {
        const fault = await take('post', textOf(outgoing.message));
        if (fault && !fault.shown) throw fault.error;
        const known = supports.idempotentPosts && this.messages.find(({ key }) => key === outgoing.key);
        const posted = known || this.#add(to, outgoing);
        if (fault) throw fault.error;
        return posted.ref;
      },
      edit: async (ref, message) => {
        const fault = await take('edit', textOf(message));
        if (fault && !fault.shown) throw fault.error;
        const found = this.messages.find((one) => one.ref.message === ref.message);
        if (!found) throw gone();
        found.message = message;
        found.edits += 1;
        if (fault) throw fault.error;
      },
      findPosted: async (to, key, since, replyTo) => {
        const fault = await take('find', key);
        if (fault) throw fault.error;
        return this.messages.find(
          (one) =>
            one.key === key &&
            one.at >= since &&
            one.to.channel === to.channel &&
            one.replyTo?.message === replyTo?.message,
        )?.ref;
      },
      resume: async (reply, { again, mayLeave }) => {
        mayLeave();
        const fault = await take('resume', textOf(again));
        if (!fault || fault.shown) this.answers.push({ reply, text: textOf(again) });
        if (fault) throw fault.error;
      },
      person: async (id) => ({ id, name: id, home: true, guest: false, admin: true, groups: [] }),
      sendDirect: async ({ id, workspace }, { message, key }) => {
        if (key.length > 25) throw new Error(`The key ${key} is longer than Discord's nonce may be`);
        const fault = await take('tell', textOf(message));
        if (!fault || fault.shown) this.told.push({ person: id, workspace, text: textOf(message) });
        if (fault) throw fault.error;
      },
    };
  }

  /** Adds a message that the bot posted earlier. */
  add(message: Message, to: Address): MessageRef {
    return this.#add(to, { message, key: `k${this.messages.length}` }).ref;
  }

  #add(to: Address, { message, key, replyTo, alsoToChannel = false }: Outgoing): Posted {
    if (key.length > 25) throw new Error(`The key ${key} is longer than Discord's nonce may be`);
    const ref = { ...to, message: `m${this.messages.length + 1}` };
    const posted = { ref, to, key, replyTo, alsoToChannel, message, edits: 0, at: this.#now() };
    this.messages.push(posted);
    return posted;
  }
}

export function textOf(message: Message): string {
  const inline = (rich: readonly unknown[]): string =>
    rich
      .map((part) =>
        typeof part === 'string' ? part : String(Object.values(part as Record<string, unknown>)[0]),
      )
      .join('');
  return message.kind === 'line'
    ? inline(message.text)
    : [
        inline(message.title),
        ...message.nodes.flatMap((node) =>
          node.kind === 'text' || node.kind === 'note' ? [inline(node.text)] : [],
        ),
      ].join(' | ');
}

export const unknownOutcome = () =>
  new DeliveryError('chat-silent', 'No answer.', { outcome: 'unknown', retryable: true });

export const tooFast = (retryAfterMs?: number, heldUp?: HeldUp) =>
  new DeliveryError('chat-too-fast', 'Too fast.', {
    outcome: 'not-sent',
    retryable: true,
    heldUp,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

export const refusedForGood = () =>
  new DeliveryError('chat-no-such-channel', 'No such channel.', { outcome: 'not-sent', retryable: false });

export const closed = () =>
  new DeliveryError('chat-closed', 'The thread is closed.', {
    outcome: 'not-sent',
    retryable: false,
    mendable: true,
  });

const gone = () =>
  new DeliveryError('chat-gone', 'The message is gone.', { outcome: 'not-sent', retryable: false });
