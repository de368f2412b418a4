import type { RequestListener } from 'node:http';
import type { AppError } from '../errors.ts';
import type { ActionRef, Choice, Line, Message } from './card.ts';
import type { Form, FormValues } from './form.ts';

/** Where messages go: a channel of a workspace (a Discord server, a Slack team), or a thread of a channel. */
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
  /**
   * Whether the person belongs to a server or workspace that this bot serves. A person from another server or workspace
   * has no permissions at all.
   */
  readonly home: boolean;
  /** Whether the person is a Slack guest, single-channel or multi-channel. */
  readonly guest: boolean;
  /** Whether the person has Manage Server on Discord, or is an admin or owner on Slack. */
  readonly admin: boolean;
  /**
   * Ids that access settings can name. On Discord: the ids of the person's roles. On Slack: the person's own user id
   * and the ids of the person's user groups.
   */
  readonly groups: readonly string[];
}

/** The abilities of a platform. Code asks whether a platform has an ability, and never asks for the platform's name. */
export interface Capabilities {
  /** For a few minutes, the platform recognises a repeated post by its key and returns the first message. */
  readonly idempotentPosts: boolean;
  /** `findPosted` can read the messages of a channel. */
  readonly history: boolean;
  /** Absent if the platform has no forms. */
  readonly forms?: FormAbilities;
}

export interface FormAbilities {
  /** The most fields of a form. */
  readonly fields: number;
  /** The most choices of a field. */
  readonly choices: number;
  /** The most characters of the value of a choice. */
  readonly value: number;
  /** The most characters of a text field. */
  readonly text: number;
  /** Whether a form can change while it is open, and suggests values while a person types. */
  readonly live: boolean;
}

export interface Outgoing {
  readonly message: Message;
  /** The message under which to post: as a reply on Discord, in the message's thread on Slack. */
  readonly replyTo?: MessageRef;
  /**
   * Set for messages about failures. On platforms where a reply hides in a thread, the message is shown in the channel
   * as well.
   */
  readonly alsoToChannel?: boolean;
  /** At most 25 characters, the same at every attempt to send this message. */
  readonly key: string;
  /**
   * Set if a person is waiting for this message. If the platform asks the bot to slow down, the message is then sent
   * late instead of failing.
   */
  readonly patient?: boolean;
}

/** An answer from a process that did not receive the invocation. */
export interface LateAnswer {
  readonly message: Message;
  /**
   * Is sent in place of `message` if a search cannot tell whether the invocation was answered. The content is the same, and a warning says that the message may be a repeat.
   */
  readonly again: Message;
  /** Called after all searches, immediately before anything is shown. Throws if another process may be answering. */
  readonly mayLeave: () => void;
}

/** Takes the requests that an adapter receives. */
export interface Inbox {
  /** Carries out one invocation. Never rejects. */
  invoke(invocation: Invocation): Promise<void>;
  /**
   * Returns the values to offer while a person is typing, with the best value first. Resolves before the platform's
   * time limit. Never rejects.
   */
  suggest(question: SuggestionRequest): Promise<readonly Choice[]>;
  /** Notes that a person has closed a form without sending the form. Never rejects. */
  closed(form: ClosedForm): Promise<void>;
}

/** A form that a person has closed without sending the form. */
export interface ClosedForm {
  readonly at: Address;
  readonly askerId: string;
  /** The code that would have received the values. */
  readonly action: ActionRef;
}

/** A request for suggestions, made while a person is typing the value of an option. */
export interface SuggestionRequest {
  readonly at: Address;
  readonly command: string;
  readonly subcommand: string | undefined;
  readonly option: string;
  readonly typed: string;
  /** Set if the person can only pick an offered value, so that the typed text itself has to be offered, too. */
  readonly onlyOffered?: true;
  /** The values that the other options, or the form's other fields, have so far. */
  readonly given: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  person: Invocation['person'];
}

/** Messages that grow: the platform appends text to them. */
export interface Streams {
  /** The largest number of characters that one call appends. */
  readonly mostCharacters: number;
  /**
   * Appends lines to a message, as text of fixed width. Posts a new message under `under` if there is no message yet, or
   * if the platform appends nothing more to the message. Returns the message with the lines. Throws DeliveryError.
   */
  append(
    lines: readonly string[],
    to: {
      readonly message: MessageRef | undefined;
      readonly under: MessageRef;
      /** The id of the person who asked for the lines. */
      readonly reader: string;
    },
  ): Promise<MessageRef>;
  /** Tells the platform that no more text follows. Throws DeliveryError. */
  end(message: MessageRef): Promise<void>;
}

/** The interface that every platform implements. */
export interface Adapter {
  /** The key of stored addresses, e.g. `discord`. */
  readonly platform: string;
  readonly supports: Capabilities;
  /**
   * The minimum time between two posts, and between two edits, in a channel, in milliseconds. Platforms count posts and
   * edits separately.
   */
  readonly paceMs: { readonly post: number; readonly edit: number };
  /** Set if only one process at a time may receive. Every process can post. */
  readonly exclusive?: boolean;
  /** An HTTP listener to be mounted on the bot's port, if the platform sends its requests by HTTP. */
  readonly http?: { readonly path: string; readonly listener: RequestListener };

  /** Checks, without receiving requests, whether the platform can be used. Rejects in the same cases as `start`. */
  prepare?(): Promise<void>;
  /**
   * Connects and starts to pass requests to the inbox. Resolves when the platform can be used. May be called again
   * after a rejection or after `stop`. Calls `lost` if the platform later shuts the bot out permanently. If the
   * `bookmark` of the process that received before is given, no request that came in the meantime is missed.
   */
  start(inbox: Inbox, lost?: (error: AppError) => void, bookmark?: string): Promise<void>;
  /** Stops receiving. The bot can still answer requests that were received, and send messages. */
  stop(): Promise<void>;
  /** The last position in the stream of requests, to be passed to `start` in the next process. */
  bookmark?(): string | undefined;
  /**
   * Called when the process is about to stop. The adapter gives up messages that are waiting for the platform's rate
   * limit, and tells the people who are waiting for them.
   */
  hurry?(): void;
  /** Stops receiving and sending permanently. */
  close(): Promise<void>;
  /** Whether the platform is connected right now. `/readyz` shows this. */
  healthy(): boolean;

  /** Missing on a platform without such messages. */
  readonly streams?: Streams;
  /** Whether the whole line fits into one message of the platform. */
  fits(line: Line): boolean;
  /** Posts with the bot's own token. Throws DeliveryError. */
  post(to: Address, outgoing: Outgoing): Promise<MessageRef>;
  /**
   * Replaces a message. If a `key` is given, `findPosted` finds the message by this key afterwards. Throws
   * DeliveryError.
   */
  edit(ref: MessageRef, message: Message, key?: string): Promise<void>;
  /**
   * Searches the channel for the bot's message with this key, starting at `since` (epoch milliseconds). Throws
   * DeliveryError if the channel cannot be read.
   */
  findPosted(to: Address, key: string, since: number, replyTo?: MessageRef): Promise<MessageRef | undefined>;
  /**
   * Answers an invocation whose process ended before answering. If a card was posted, the answer replaces the card. If
   * no card was posted, the answer goes where the acknowledgement announced it. If the invocation has been answered
   * already, nothing changes, so a repeated call is safe. Throws DeliveryError, which is not retryable if the channel
   * no longer exists.
   */
  resume(reply: Reply, answer: LateAnswer): Promise<void>;
  /**
   * The person as the platform describes them at this moment, for a request of this person that runs later. Throws if
   * the platform gives no answer.
   */
  person(id: string, workspace: string): Promise<Person>;
  /** Sends a direct message to a person of a workspace. Throws DeliveryError. */
  sendDirect(person: { readonly id: string; readonly workspace: string }, outgoing: Outgoing): Promise<void>;
}

/**
 * The data that any process needs to answer an invocation. This is either JSON that only the adapter of the invocation
 * reads, or `keys`, which `answerByKeys` uses on any platform.
 */
export type Reply = Readonly<Record<string, unknown>>;

export type AckMode = 'public' | 'private' | 'update';

type OptionValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Option values by name (Discord, and any submitted form), or the text after the command's name (Slack, console). */
export type Arguments =
  | { readonly kind: 'values'; readonly subcommand?: string | undefined; readonly values: OptionValues }
  | { readonly kind: 'text'; readonly text: string };

export type InvocationRequest =
  | { readonly kind: 'command'; readonly command: string; readonly args: Arguments }
  | ActionRequest
  | FormRequest
  | MessageRequest;

/** A button was pressed, or a person chose values from a menu. */
export interface ActionRequest extends Coded {
  readonly kind: 'action';
  /** The values chosen from a menu. Empty for a button. */
  readonly chosen: readonly string[];
  /** The values that the fields have so far, if the button is inside a form. */
  readonly fields?: FormValues;
}

/** A form was submitted. */
export interface FormRequest extends Coded {
  readonly kind: 'form';
  readonly fields: FormValues;
}

/**
 * A person chose an action from the menu that the platform shows for each message. Any person or app may have written
 * the message. The menu shows the actions that have a name for it (`onCard`).
 */
export interface MessageRequest {
  readonly kind: 'message';
  /** The name of the action, for example `Deploy again`. */
  readonly entry: string;
  readonly message: MessageRef;
  /** The buttons of the message. Empty for a message that the bot did not post. */
  readonly buttons: readonly ActionRef[];
  /** The message to which this message is a reply, if the bot posted the reply. */
  readonly under?: MessageRef | undefined;
  /** The content of the message in the platform's own form. Empty for a message that the bot did not post. */
  readonly content: string;
}

interface Coded {
  /** Undefined for an id that this version of the bot cannot read. */
  readonly action: ActionRef | undefined;
  /** The message that holds the pressed button, or the button that opened the form. Undefined for a private message. */
  readonly source: MessageRef | undefined;
}

/** The identity of the asker, as far as it is known before the platform has answered. */
export interface PendingIdentity {
  /** The platform's id of the asker. */
  readonly askerId: string;
  /**
   * If no first response is ready in time, the adapter tells the platform that the request arrived, but not before
   * `stored` resolves.
   */
  holdBack(stored: Promise<void>): void;
}

/** One command, button press or form submission, from any platform. */
export interface Invocation {
  /** The platform's own id of the request. If the platform sends the request again, the id is the same. */
  readonly id: string;
  readonly adapter: Adapter;
  readonly at: Address;
  readonly request: InvocationRequest;
  /**
   * The data for `Adapter.resume` in a later process, needed if this process ends before the answer. Undefined if the
   * later process should answer in the channel.
   */
  reply(mode: AckMode): Reply | undefined;
  /**
   * Set if the invocation needs no first response, because the adapter itself tells the platform that the request
   * arrived. The person then sees no error.
   */
  readonly maySkip?: boolean;
  /**
   * Present if `person` has to ask the platform. The answer of the platform may then take longer than the platform
   * waits for a first response.
   */
  readonly meanwhile?: PendingIdentity;

  /**
   * The person who asked. `fresh` is for requests that change something, because with `fresh` a role that was just
   * taken away no longer counts. While the platform does not answer, an answer from the last minute is used, unless an
   * event has contradicted that answer. Throws if the platform gives no answer, because access is never granted on a
   * guess.
   */
  person(freshness: 'cached' | 'fresh'): Promise<Person>;

  /** Sends the first and only response, which is private. */
  refuse(message: Message): Promise<void>;
  /**
   * Opens a form. This is the first and only response, instead of an acknowledgement. When the person submits the form,
   * the submission is an invocation of its own. If the form is not ready soon, a platform whose forms can change opens
   * an empty form first. If the promise `form` rejects, this promise rejects with the same error. Missing if the
   * platform cannot open a form for this request.
   */
  openForm?(form: Promise<Form>): Promise<void>;
  /**
   * Refuses a submitted form with a text at one of its fields. The form stays open, so that the person can correct the
   * field. Like `refuse`, this is the first and only response. Returns false if the form has no such field, or is closed
   * already. Missing if the platform cannot show mistakes inside a form.
   */
  refuseField?(field: string, text: string): Promise<boolean>;
  /**
   * Sends the first response, before the work begins. `public` and `private` announce an answer that `respond` will
   * give. `update` means that `respond` will replace the message with the pressed button.
   */
  acknowledge(mode: AckMode): Promise<void>;
  /** Gives the answer that was announced. A second call replaces the first answer. */
  respond(message: Message): Promise<void>;
  /** Adds an answer that only the person sees. May be called after any acknowledgement. */
  respondPrivately(message: Message): Promise<void>;
  /**
   * Answers publicly with a message that the bot can edit for as long as the message exists. If the bot cannot post
   * here, throws DeliveryError with a remedy. For this reason, commands call this function before they do anything that
   * Edgegap bills. May be called after any acknowledgement. If `under` is given, and the message is not also the response to the invocation, the message is
   * posted under that message.
   */
  postCard(message: Message, under?: MessageRef): Promise<MessageRef>;
}
