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
  /** Slack: `ts` of the thread's first message. Undefined on Discord, where each thread is a separate channel. */
  readonly thread?: string;
}

/** A posted message that the bot can edit with its own token. */
export interface MessageRef extends Address {
  /** Discord message id, Slack `ts`. */
  readonly message: string;
}

/** A person, as the platform currently describes them. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /**
   * Whether the person belongs to a server or workspace that this bot serves. A person from any other server or
   * workspace has no permissions at all.
   */
  readonly home: boolean;
  /** Whether the person is a Slack guest, single-channel or multi-channel. */
  readonly guest: boolean;
  /** Whether the person has the permission "Manage Server" on Discord, or is an admin or owner on Slack. */
  readonly admin: boolean;
  /**
   * Ids that access settings can name. On Discord: the ids of the person's roles. On Slack: the person's own user id
   * and the ids of the person's user groups.
   */
  readonly groups: readonly string[];
}

/** The abilities of a platform. Code outside the adapters checks the abilities of a platform, not its name. */
export interface Capabilities {
  /**
   * If a message is posted twice with the same key within a few minutes, the platform recognises the key and returns
   * the first message.
   */
  readonly idempotentPosts: boolean;
  /** Whether `findPosted` can read the messages of a channel. */
  readonly history: boolean;
  /** Absent if the platform has no forms. */
  readonly forms?: FormAbilities;
}

export interface FormAbilities {
  /** Maximum number of fields in a form. */
  readonly fields: number;
  /** Maximum number of choices in a field. */
  readonly choices: number;
  /** Maximum number of characters in the value of a choice. */
  readonly value: number;
  /** Maximum number of characters in a text field. */
  readonly text: number;
  /** Whether a form can change while it is open, and suggests values while a person types. */
  readonly live: boolean;
}

export interface Outgoing {
  readonly message: Message;
  /** The message to reply to. On Slack, the reply is posted in the message's thread. */
  readonly replyTo?: MessageRef;
  /**
   * Set for messages about failures. If a platform shows replies only in a thread, the message also appears in the
   * channel.
   */
  readonly alsoToChannel?: boolean;
  /** The key of the message, with at most 25 characters. Every attempt to send this message uses the same key. */
  readonly key: string;
  /**
   * Set if a person is waiting for this message. If the platform asks the bot to slow down, the adapter waits and sends
   * the message later, instead of reporting a failure.
   */
  readonly patient?: boolean;
}

/** An answer from a process that did not receive the invocation. */
export interface LateAnswer {
  readonly message: Message;
  /**
   * Sent in place of `message` if a search cannot tell whether the invocation was answered. `again` has the same
   * content and a warning that the message may be a repeat.
   */
  readonly again: Message;
  /**
   * Called after all searches, immediately before anything is shown. Throws if a different process may be answering at
   * the same time.
   */
  readonly mayLeave: () => void;
}

/** The part of the bot that handles the requests from an adapter. */
export interface Inbox {
  /** Carries out an invocation. Never rejects. */
  invoke(invocation: Invocation): Promise<void>;
  /**
   * Returns the values to offer while a person is typing, with the best value first. Resolves before the platform's
   * time limit. Never rejects.
   */
  suggest(question: SuggestionRequest): Promise<readonly Choice[]>;
  /** Called when a person has closed a form without submitting it. Never rejects. */
  closed(form: ClosedForm): Promise<void>;
}

/** A form that a person has closed without submitting it. */
export interface ClosedForm {
  readonly at: Address;
  readonly askerId: string;
  /** The action that would have got the values if the person had submitted the form. */
  readonly action: ActionRef;
}

/** A request for suggestions, made while a person is typing the value of an option. */
export interface SuggestionRequest {
  readonly at: Address;
  readonly command: string;
  readonly subcommand: string | undefined;
  readonly option: string;
  readonly typed: string;
  /**
   * Set if the person can only pick offered values, and cannot submit the typed text. The typed text must then be one
   * of the offered values.
   */
  readonly onlyOffered?: true;
  /** The values that the other options, or the form's other fields, have so far. */
  readonly given: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  person: Invocation['person'];
}

/** Messages to which the platform can append text. */
export interface Streams {
  /** Maximum number of characters that one call appends. */
  readonly mostCharacters: number;
  /**
   * Appends lines in a monospaced font to a message. If there is no message yet, or if the platform refuses to append
   * more to the message, posts a new message as a reply to `under`. Returns the message with the lines. Throws
   * DeliveryError.
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
  /** The name of the platform in stored addresses, e.g. `discord`. */
  readonly platform: string;
  readonly supports: Capabilities;
  /**
   * The minimum times in a channel, in milliseconds: between two posts, and between two edits. Platforms count posts
   * and edits separately.
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
   * after a rejection or after `stop`. Calls `lost` if the platform later refuses the bot permanently. With the
   * `bookmark` of the previous process, the adapter also receives the requests that arrived in the meantime.
   */
  start(inbox: Inbox, lost?: (error: AppError) => void, bookmark?: string): Promise<void>;
  /** Stops receiving. The bot can still answer requests that were received, and send messages. */
  stop(): Promise<void>;
  /** The last position in the stream of requests. The next process passes this position to `start`. */
  bookmark?(): string | undefined;
  /**
   * Called when the process is about to stop. The adapter gives up messages that wait for the platform's rate limit,
   * and informs the people who expect these messages.
   */
  hurry?(): void;
  /** Stops receiving and sending permanently. */
  close(): Promise<void>;
  /** Whether the platform is connected right now. `/readyz` shows this. */
  healthy(): boolean;

  /** Undefined on a platform that cannot append to a message. */
  readonly streams?: Streams;
  /** Whether the whole line fits into one message of the platform. */
  fits(line: Line): boolean;
  /** Posts with the bot's own token. Throws DeliveryError. */
  post(to: Address, outgoing: Outgoing): Promise<MessageRef>;
  /** Replaces a message. With a `key`, `findPosted` finds the message by this key afterwards. Throws DeliveryError. */
  edit(ref: MessageRef, message: Message, key?: string): Promise<void>;
  /**
   * Searches the channel for the bot's message with this key, starting at `since` (epoch milliseconds). Throws
   * DeliveryError if the channel cannot be read.
   */
  findPosted(to: Address, key: string, since: number, replyTo?: MessageRef): Promise<MessageRef | undefined>;
  /**
   * Answers an invocation if the process that received the invocation ended before answering. If a card was posted, the
   * answer replaces the card. Otherwise the answer appears in the channel, or privately, as the acknowledgement of
   * the invocation has promised. If the invocation was answered already, nothing changes, so a repeated call is safe. Throws DeliveryError. The error is
   * not retryable if the channel no longer exists.
   */
  resume(reply: Reply, answer: LateAnswer): Promise<void>;
  /**
   * The person as the platform describes them now. Used when a stored request of this person runs later. Throws if the
   * platform gives no answer.
   */
  person(id: string, workspace: string): Promise<Person>;
  /** Sends a direct message to a person of a workspace. Throws DeliveryError. */
  sendDirect(person: { readonly id: string; readonly workspace: string }, outgoing: Outgoing): Promise<void>;
}

/**
 * The data that any process needs to answer an invocation. The data is either JSON that only the same adapter reads, or
 * has the field `keys`, which `answerByKeys` uses on any platform.
 */
export type Reply = Readonly<Record<string, unknown>>;

export type AckMode = 'public' | 'private' | 'update';

type OptionValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * The options of a command: values by name (from Discord or from a submitted form), or the text after the command's
 * name (from Slack or the console).
 */
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
 * the message. The menu shows an action only if the definition of the action has a name for this menu (`onCard`).
 */
export interface MessageRequest {
  readonly kind: 'message';
  /** The name of the action, for example `Deploy again`. */
  readonly entry: string;
  readonly message: MessageRef;
  /** The buttons of the message. Empty for a message that the bot did not post. */
  readonly buttons: readonly ActionRef[];
  /** The message to which this message replies. Set only if the bot posted this message. */
  readonly under?: MessageRef | undefined;
  /** The content of the message in the platform's own format. Empty for a message that the bot did not post. */
  readonly content: string;
}

interface Coded {
  /** The code that the button names. Undefined if this version of the bot cannot read the button's id. */
  readonly action: ActionRef | undefined;
  /** The message that holds the pressed button, or whose button opened the form. Undefined for a private message. */
  readonly source: MessageRef | undefined;
}

/** The part of a person's identity that is known before the platform answers the look-up. */
export interface PendingIdentity {
  /** The platform's id of the person. */
  readonly askerId: string;
  /**
   * Makes the adapter wait for `stored` before it acknowledges the request by itself. The adapter acknowledges by
   * itself if no first response is ready in time.
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
   * The data for `Adapter.resume`, with which a later process can answer if this process ends first. Undefined if the
   * later process should post its answer in the channel.
   */
  reply(mode: AckMode): Reply | undefined;
  /**
   * Set if the invocation needs no first response. The adapter itself then acknowledges the request, so the person sees
   * no error.
   */
  readonly maySkip?: boolean;
  /**
   * Set if `person` has to ask the platform. The look-up can take longer than the platform waits for a first response.
   */
  readonly meanwhile?: PendingIdentity;

  /**
   * The person who asked. `fresh` is for requests that change something, because a role that the person has just lost
   * must not count. If the platform does not answer, data from the last minute is used, unless an event of the platform
   * has made this data invalid. Throws if no data is available, because access needs proof.
   */
  person(freshness: 'cached' | 'fresh'): Promise<Person>;

  /** Sends a private message as the first and only response. */
  refuse(message: Message): Promise<void>;
  /**
   * Opens a form. The form is the first and only response, and replaces the acknowledgement. The submission of the form
   * is a separate invocation. If the form is not ready soon, a platform whose forms can change opens an empty form
   * first. If `form` rejects, the returned promise rejects with the same error. Undefined if the platform cannot open a
   * form for this request.
   */
  openForm?(form: Promise<Form>): Promise<void>;
  /**
   * Refuses a submitted form with a text at one of its fields. The form stays open, so that the person can correct the
   * field. Like `refuse`, this is the first and only response. Returns false if the form has no such field or is closed
   * already. Undefined if the platform cannot show mistakes inside a form.
   */
  refuseField?(field: string, text: string): Promise<boolean>;
  /**
   * Sends the first response, before the work begins. `public` and `private` announce an answer that `respond` will
   * give. `update` means that `respond` will replace the message with the pressed button.
   */
  acknowledge(mode: AckMode): Promise<void>;
  /** Gives the answer that the acknowledgement announced. A second call replaces the first answer. */
  respond(message: Message): Promise<void>;
  /** Sends an additional answer that only the person sees. Allowed after any acknowledgement. */
  respondPrivately(message: Message): Promise<void>;
  /**
   * Answers publicly with a message that the bot can edit for as long as the message exists. If the bot cannot post
   * here, throws DeliveryError with a remedy. Commands call this function before they do anything that Edgegap bills.
   * Allowed after any acknowledgement. If the card is not also the response to the invocation, the card is posted as a
   * reply to `under`.
   */
  postCard(message: Message, under?: MessageRef): Promise<MessageRef>;
}
