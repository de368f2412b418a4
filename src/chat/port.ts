import type { RequestListener } from 'node:http';
import type { AppError } from '../errors.ts';
import type { ActionRef, Line, Message } from './card.ts';
import type { Form, FormValues } from './form.ts';

/** A place for messages: a channel of a workspace (a Discord server, a Slack team), or a thread of a channel. */
export interface Address {
  readonly platform: string;
  /** Discord guild id, Slack team id. */
  readonly workspace: string;
  readonly channel: string;
  /** Slack: `ts` of the thread's first message. On Discord a thread is a channel of its own. */
  readonly thread?: string;
}

/** A posted message that the bot can edit with its own token. */
export interface MessageRef extends Address {
  /** Discord message id, Slack `ts`. */
  readonly message: string;
}

/** A person, as the platform describes them right now. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /** Belongs to a server or workspace that this bot serves. A stranger has no permission at all. */
  readonly home: boolean;
  /** Slack guests, single- or multi-channel. */
  readonly guest: boolean;
  /** Manage Server on Discord; admin or owner on Slack. */
  readonly admin: boolean;
  /** Ids that access settings can name: role ids on Discord; own user id and user group ids on Slack. */
  readonly groups: readonly string[];
}

/** A platform's abilities. Code asks for an ability, never for a platform's name. */
export interface Capabilities {
  /** Recognises a repeated post by its key for a few minutes and returns the first message. */
  readonly idempotentPosts: boolean;
  /** `findPosted` can read the channel back. */
  readonly history: boolean;
}

export interface Outgoing {
  readonly message: Message;
  /** Post under this message: as a reply on Discord, in the message's thread on Slack. */
  readonly replyTo?: MessageRef;
  /** For failures: show in the channel, too, on platforms where a reply hides in a thread. */
  readonly alsoToChannel?: boolean;
  /** At most 25 characters, the same at every attempt to send this message. */
  readonly key: string;
  /** A person waits for this message: if the platform asks to slow down, send late rather than fail. */
  readonly patient?: boolean;
}

/** An answer from a process that did not receive the invocation. */
export interface LateAnswer {
  readonly message: Message;
  /**
   * Shown in place of `message` if a search cannot tell whether the invocation was answered: the same content and, if a
   * repeat is possible, a warning of the repeat.
   */
  readonly again: Message;
  /** Called after all searches, right before anything is shown; throws if another process may be answering. */
  readonly mayLeave: () => void;
}

/** Takes the requests that an adapter receives. */
export interface Inbox {
  /** Carries out one invocation. Never rejects. */
  invoke(invocation: Invocation): Promise<void>;
  /** Values to offer during typing, best first, in time for the platform. Never rejects. */
  suggest(question: Question): Promise<readonly string[]>;
}

/** A person is typing the value of an option. */
export interface Question {
  readonly at: Address;
  readonly command: string;
  readonly subcommand: string | undefined;
  readonly option: string;
  readonly typed: string;
  /** The values so far of the other options, or of the form's other fields. */
  readonly given: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  person: Invocation['person'];
}

/** The interface that every platform implements. */
export interface Adapter {
  /** The key of stored addresses, e.g. `discord`. */
  readonly platform: string;
  readonly supports: Capabilities;
  /** Least milliseconds between two messages, and between two edits, in a channel. Platforms count both apart. */
  readonly paceMs: { readonly post: number; readonly edit: number };
  /** Only one process at a time may receive; every process can post. */
  readonly exclusive?: boolean;
  /** An HTTP listener to be mounted on the bot's port, if the platform delivers by HTTP. */
  readonly http?: { readonly path: string; readonly listener: RequestListener };

  /** Finds out, without receiving, whether the platform can be used. Rejects as `start` does. */
  prepare?(): Promise<void>;
  /**
   * Connects and starts to fill the inbox. Resolves when the platform can be used. May be called again after a rejection
   * or `stop`. Calls `lost` if the platform later shuts the bot out for good. With the `bookmark` of the process that
   * received before, no request in between is missed.
   */
  start(inbox: Inbox, lost?: (error: AppError) => void, bookmark?: string): Promise<void>;
  /** Stops receiving; received requests can still be answered, and messages sent. */
  stop(): Promise<void>;
  /** The last position in the stream of requests; for `start` in the next process. */
  bookmark?(): string | undefined;
  /** The process is about to stop: gives up messages that wait for the platform's rate limit, and tells the persons. */
  hurry?(): void;
  /** Stops receiving and sending, for good. */
  close(): Promise<void>;
  /** Whether the platform is connected right now; for /readyz. */
  healthy(): boolean;

  /** Whether the whole line fits into one message of the platform. */
  fits(line: Line): boolean;
  /** Posts with the bot's own token. Throws DeliveryError. */
  post(to: Address, outgoing: Outgoing): Promise<MessageRef>;
  /** Replaces a message. If a `key` is given, `findPosted` finds the message by this key from then on. Throws DeliveryError. */
  edit(ref: MessageRef, message: Message, key?: string): Promise<void>;
  /**
   * Looks in the channel for the bot's message with this key, from `since` (epoch ms) on.
   * Throws DeliveryError if the channel cannot be read.
   */
  findPosted(to: Address, key: string, since: number, replyTo?: MessageRef): Promise<MessageRef | undefined>;
  /**
   * Answers an invocation after its process ended without an answer: in place of the card that was posted, else in the place
   * that the acknowledgement announced. Leaves an answered invocation as it is, so a repeat is safe. Throws DeliveryError,
   * not retryable if that place no longer exists.
   */
  resume(reply: Reply, answer: LateAnswer): Promise<void>;
  /** A person at this moment, for a request of this person that runs later. Throws if the platform cannot say. */
  person(id: string, workspace: string): Promise<Person>;
  /** Sends a direct message to a person of a workspace. Throws DeliveryError. */
  sendDirect(person: { readonly id: string; readonly workspace: string }, outgoing: Outgoing): Promise<void>;
}

/**
 * The data with which any process can still answer an invocation: JSON that only the invocation's adapter reads; or
 * `keys`, for `answerByKeys` on any platform.
 */
export type Reply = Readonly<Record<string, unknown>>;

export type AckMode = 'public' | 'private' | 'update';

type OptionValues = Readonly<Record<string, string | number | boolean>>;

/** Typed option values (Discord), or the text after the command's name (Slack, console). */
export type Arguments =
  | { readonly kind: 'values'; readonly subcommand?: string | undefined; readonly values: OptionValues }
  | { readonly kind: 'text'; readonly text: string };

export type InvocationRequest =
  | { readonly kind: 'command'; readonly command: string; readonly args: Arguments }
  | ActionRequest
  | FormRequest;

/** A button was pressed, or values were chosen from a menu. */
export interface ActionRequest extends Coded {
  readonly kind: 'action';
  /** The values chosen from a menu; empty for a button. */
  readonly chosen: readonly string[];
}

/** A form was submitted. */
export interface FormRequest extends Coded {
  readonly kind: 'form';
  readonly fields: FormValues;
}

interface Coded {
  /** Undefined for an id that this version of the bot cannot read. */
  readonly action: ActionRef | undefined;
  /** The message that holds the button, or held the button that opened the form; undefined for a private message. */
  readonly source: MessageRef | undefined;
}

/** For the time until the asker is known. */
export interface PendingIdentity {
  /** The platform's id of the asker. */
  readonly askerId: string;
  /** If no first response is ready in time, the platform hears that the request arrived; not before `stored` resolves. */
  holdBack(stored: Promise<void>): void;
}

/** One command, button press or form submission, from any platform. */
export interface Invocation {
  /** The platform's own id of the request: the platform's retry has the same id. */
  readonly id: string;
  readonly adapter: Adapter;
  readonly at: Address;
  readonly request: InvocationRequest;
  /** The text that people type in front of a command's name in this place, e.g. `/edgegap `; undefined: no text. */
  readonly prompt?: string;
  /** For `Adapter.resume` in a later process, if this process ends before the answer; undefined: answer in the channel. */
  reply(mode: AckMode): Reply | undefined;
  /** May go without a first response: the adapter tells the platform that the request arrived, and the person sees no error. */
  readonly maySkip?: boolean;
  /** Present if `person` has to ask the platform, which may take longer than the platform waits for a first response. */
  readonly meanwhile?: PendingIdentity;

  /**
   * The asker. `fresh` is for requests that change something: a role that was just taken away no longer counts.
   * While the platform does not answer, an answer of the last minute counts, unless an event has contradicted that answer.
   * Throws if the platform cannot say: a guess gives no access.
   */
  person(freshness: 'cached' | 'fresh'): Promise<Person>;

  /** The first and only response: private. */
  refuse(message: Message): Promise<void>;
  /**
   * The first and only response, in place of an acknowledgement. The submission is an invocation of its own. Missing
   * if the platform opens no form for this request.
   */
  openForm?(form: Form): Promise<void>;
  /**
   * The first response, before work: `public` and `private` announce an answer in `respond`;
   * `update` means that `respond` will replace the message with the pressed button.
   */
  acknowledge(mode: AckMode): Promise<void>;
  /** Fills in the acknowledged answer; a second call replaces the answer. */
  respond(message: Message): Promise<void>;
  /** Adds an answer that the person alone sees; after any acknowledgement. */
  respondPrivately(message: Message): Promise<void>;
  /**
   * Answers publicly with a message that the bot can edit for as long as the message exists. Throws DeliveryError, with a
   * remedy, if the bot cannot post here; commands call this before anything is billed. Only after
   * `acknowledge('public')` or, for a button or form, any acknowledgement.
   */
  postCard(message: Message): Promise<MessageRef>;
}
