import type { RequestListener } from 'node:http';
import type { AppError } from '../errors.ts';
import type { ActionRef, Line, Message } from './card.ts';
import type { Form, FormValues } from './form.ts';

/** Where messages go: a channel of a workspace (a Discord server, a Slack team), or a thread in it. */
export interface Address {
  readonly platform: string;
  /** Discord guild id, Slack team id. */
  readonly workspace: string;
  readonly channel: string;
  /** Slack: `ts` of the thread's first message. On Discord a thread is a channel of its own. */
  readonly thread?: string;
}

/** A message that was posted, and that the bot can edit with its own token. */
export interface MessageRef extends Address {
  /** Discord message id, Slack `ts`. */
  readonly message: string;
}

/** Who is at the other end, as the platform knows them right now. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /** Belongs to a server or workspace this bot serves. A stranger may nothing at all. */
  readonly home: boolean;
  /** Slack guests, single- or multi-channel. */
  readonly guest: boolean;
  /** Manage Server on Discord; admin or owner on Slack. */
  readonly admin: boolean;
  /** Ids that access settings can name: role ids on Discord; own user id and user group ids on Slack. */
  readonly groups: readonly string[];
}

/** What a platform can do. Code asks these, never a platform's name. */
export interface Capabilities {
  /** Recognises a repeated post by its key for a few minutes and returns the first message. */
  readonly idempotentPosts: boolean;
  /** `findPosted` can read the channel back. */
  readonly history: boolean;
}

export interface Outgoing {
  readonly message: Message;
  /** Put it under this message: a reply on Discord, in its thread on Slack. */
  readonly replyTo?: MessageRef;
  /** For failures: where a reply hides in a thread, show it in the channel as well. */
  readonly alsoToChannel?: boolean;
  /** At most 25 characters, the same at every attempt to send this message. */
  readonly key: string;
  /** Somebody waits for this message: it may be late, where the platform asks to slow down, rather than refused. */
  readonly patient?: boolean;
}

/** The answer to an invocation by another process than the one that was to give it. */
export interface LateAnswer {
  readonly message: Message;
  /**
   * Shown in place of `message` where it cannot be seen whether that was answered: the same, saying that it may be a
   * repeat where it may be one.
   */
  readonly again: Message;
  /** Asked right before anything is shown, after whatever was looked for; throws where another process may be at it. */
  readonly mayLeave: () => void;
}

/** What an adapter hands over as it comes in. */
export interface Inbox {
  /** Carries one invocation through. Never rejects. */
  invoke(invocation: Invocation): Promise<void>;
  /** Values to offer to somebody who is typing, best first, in time for the platform. Never rejects. */
  suggest(question: Question): Promise<readonly string[]>;
}

/** Somebody is typing the value of an option. */
export interface Question {
  readonly at: Address;
  readonly command: string;
  readonly subcommand: string | undefined;
  readonly option: string;
  readonly typed: string;
  /** What the other options, or fields of the form, hold so far. */
  readonly given: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  person: Invocation['person'];
}

/** The shared adapter layer: what every platform implements. */
export interface Adapter {
  /** The key of stored addresses, e.g. `discord`. */
  readonly platform: string;
  readonly supports: Capabilities;
  /** Least milliseconds between two messages, and between two edits, in one channel: platforms count them apart. */
  readonly paceMs: { readonly post: number; readonly edit: number };
  /** Only one process at a time may receive; the others can post all the same. */
  readonly exclusive?: boolean;
  /** An HTTP listener to be mounted on the bot's one port, where the platform delivers by HTTP. */
  readonly http?: { readonly path: string; readonly listener: RequestListener };

  /** Finds out, without receiving, whether the platform can be used. Rejects as `start` does. */
  prepare?(): Promise<void>;
  /**
   * Connects and starts to fill the inbox. Resolves when the platform can be used; after it rejected, or after
   * `stop`, it may be called again. Calls `lost` where the platform later shuts us out for good. With the `bookmark` of
   * the process that received before, it goes on from there and misses nothing.
   */
  start(inbox: Inbox, lost?: (error: AppError) => void, bookmark?: string): Promise<void>;
  /** Receives nothing more; what was received can still be answered, and messages sent. */
  stop(): Promise<void>;
  /** Where it is in what it receives, or was when it stopped; for `start` in another process. */
  bookmark?(): string | undefined;
  /** The process is about to stop: what waits until the platform takes a message is given up, and its person told. */
  hurry?(): void;
  /** The end: nothing is received or sent any more. */
  close(): Promise<void>;
  /** Whether it is connected right now; for /readyz. */
  healthy(): boolean;

  /** Whether the platform takes all of it as one message, so that nothing has to be cut. */
  fits(line: Line): boolean;
  /** Posts with the bot's own token. Throws DeliveryError. */
  post(to: Address, outgoing: Outgoing): Promise<MessageRef>;
  /** Replaces a message; `findPosted` finds the message by `key` from then on, where there is one. Throws DeliveryError. */
  edit(ref: MessageRef, message: Message, key?: string): Promise<void>;
  /**
   * Looks in the channel for our message with this key, from `since` (epoch ms) on.
   * Throws DeliveryError where the channel cannot be read.
   */
  findPosted(to: Address, key: string, since: number, replyTo?: MessageRef): Promise<MessageRef | undefined>;
  /**
   * Answers an invocation that another process was to answer and did not live to finish: in place of the card that it
   * posted, else where its answer was to stand. What was answered already is left as it is, and safe to repeat. Throws
   * DeliveryError, not retryable where that place is no more.
   */
  resume(reply: Reply, answer: LateAnswer): Promise<void>;
  /** Who somebody is at this moment, for what they asked for earlier. Throws where the platform cannot say. */
  person(id: string, workspace: string): Promise<Person>;
  /** Tells one person of a workspace, directly. Throws DeliveryError. */
  sendDirect(person: { readonly id: string; readonly workspace: string }, outgoing: Outgoing): Promise<void>;
}

/**
 * How an invocation can still be answered by another process: JSON that only its own adapter reads; or `keys`, for
 * `answerByKeys` on any platform.
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

/** A button was pressed, or something was chosen from a menu. */
export interface ActionRequest extends Coded {
  readonly kind: 'action';
  /** Of a menu, the chosen values. */
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
  /** The message that holds the button, or held the button that opened the form; undefined for a message that one person alone sees. */
  readonly source: MessageRef | undefined;
}

/** What there is while it is not known yet who asks. */
export interface PendingIdentity {
  /** The platform's id of whoever it is. */
  readonly askerId: string;
  /** Without a first response in time the platform is told that it has arrived; from now on not before `stored` resolves. */
  holdBack(stored: Promise<void>): void;
}

/** One command, button press or form submission, whichever platform it came from. */
export interface Invocation {
  /** The platform's own id for it: a repeat (a retry by the platform) has the same one. */
  readonly id: string;
  readonly adapter: Adapter;
  readonly at: Address;
  readonly request: InvocationRequest;
  /** What a person types before a command's name where this was asked, e.g. `/edgegap `; nothing: empty. */
  readonly prompt?: string;
  /** How another process can answer it with `Adapter.resume`, should this one not live to; undefined: in the channel. */
  reply(mode: AckMode): Reply | undefined;
  /** Where the platform shows nothing amiss when it gets no first response, and tells itself that the request arrived. */
  readonly maySkip?: boolean;
  /** Only where `person` has to ask the platform, which may take longer than the platform waits for a first response. */
  readonly meanwhile?: PendingIdentity;

  /**
   * Who asks. `fresh` is for what changes things: a role just taken away counts. While the platform does not answer, only
   * an answer of the last minute does, and only if no event has contradicted that answer.
   * Throws when the platform cannot say; nobody is let in on a guess.
   */
  person(freshness: 'cached' | 'fresh'): Promise<Person>;

  /** The first and only response: private. */
  refuse(message: Message): Promise<void>;
  /**
   * The first and only response, in place of an acknowledgement. The submission is an invocation of its own. Missing
   * where the platform opens no form for this request.
   */
  openForm?(form: Form): Promise<void>;
  /**
   * The first response, before work: `public` and `private` announce an answer in `respond`;
   * `update` means that `respond` will replace the message whose button was pressed.
   */
  acknowledge(mode: AckMode): Promise<void>;
  /** Fills in the acknowledged answer; called again, replaces it. */
  respond(message: Message): Promise<void>;
  /** Tells the person alone, beside whatever else was answered; after any acknowledgement. */
  respondPrivately(message: Message): Promise<void>;
  /**
   * Answers publicly with a message the bot can edit for as long as it exists. Throws DeliveryError, with what to do
   * about it, when the bot cannot post here: asked before anything is billed. Only after `acknowledge('public')`
   * or, for a button or form, any acknowledgement.
   */
  postCard(message: Message): Promise<MessageRef>;
}
