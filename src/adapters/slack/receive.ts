import { z } from 'zod';
import { decodeActionId } from '../../chat/action-id.ts';
import type { ActionRef } from '../../chat/card.ts';
import type { ActionRequest, FormRequest, MessageRequest } from '../../chat/port.ts';
import { firstWord, MAX_REQUEST, unaddressed } from '../../command/argv.ts';
import type { SlackAsker, SourceMessage } from './answer.ts';
import { unescapeTyped, unformatted } from './escape.ts';
import type { Identity } from './identity.ts';
import { channelOf, placeOf, View, valuesOf } from './modal.ts';

/** A person's request, read from any of Slack's types of payloads. */
export interface Incoming extends Omit<SlackAsker, 'receivedAt'> {
  /** Needed to open a form, and valid for three seconds. A mention has no trigger. */
  readonly trigger?: string;
  /** The id of the open form in which a button was pressed. */
  readonly view?: string;
  /** The names of the fields of a submitted form. */
  readonly fieldNames?: readonly string[];
  readonly did:
    | { readonly kind: 'command'; readonly command: string; readonly text: string }
    | Omit<ActionRequest, 'source'>
    | Omit<FormRequest, 'source'>
    | (Omit<MessageRequest, 'message' | 'under'> & {
        /** The `ts` of the message whose menu the person opened. */
        readonly ts: string;
        /** The `ts` of the first message of the thread. Set only for a message that the bot posted in a thread. */
        readonly parent?: string;
      });
}

/**
 * If a request is too long, the bot looks for the command's name only in the first characters, up to this number. All
 * names are shorter.
 */
const MAX_COMMAND = 40;

const SlashCommand = z.object({
  trigger_id: z.string(),
  user_id: z.string(),
  channel_id: z.string(),
  text: z.string().default(''),
  response_url: z.string(),
});

/** Reads a slash command, such as `/edgegap deploy ...`. Slack has no slash commands in threads. */
export function fromSlashCommand(body: unknown): Incoming {
  const { trigger_id, user_id, channel_id, text, response_url } = SlashCommand.parse(body);
  return {
    id: trigger_id,
    user: user_id,
    channel: channel_id,
    threadOpen: false,
    responseUrl: response_url,
    trigger: trigger_id,
    did: commandIn(text),
  };
}

const AppMention = z.object({
  event_id: z.string(),
  event: z.object({
    user: z.string().optional(),
    bot_id: z.string().optional(),
    channel: z.string(),
    text: z.string().default(''),
    ts: z.string(),
    thread_ts: z.string().optional(),
    edited: z.unknown().optional(),
  }),
});

/**
 * Reads a mention, such as `@bot deploy ...`. The bot answers in the thread of the mention. Undefined for a message
 * that a Slack app wrote. Undefined also for an edited message, because a corrected typo must not deploy a second time.
 * Slack reports an edit under a new event id (bolt-js#960). Undefined also if words precede the mention, because the
 * sentence is then about the bot, not a command to the bot.
 */
export function fromMention(body: unknown, own: Identity): Incoming | undefined {
  const { event_id, event } = AppMention.parse(body);
  if (event.user === undefined || event.bot_id !== undefined || event.edited !== undefined) return undefined;
  const { text } = event;
  // If the mention is formatted, the text begins with a formatting mark, such as `*`.
  const [mention, marks] = new RegExp(`^([\\s*_~]*)(?:<@${own.botUser}(?:\\|[^>]*)?>\\s*)+`).exec(text) ?? [];
  if (mention === undefined) return undefined;
  return {
    id: event_id,
    user: event.user,
    channel: event.channel,
    thread: event.thread_ts ?? event.ts,
    threadOpen: event.thread_ts !== undefined,
    did: commandIn(`${marks}${text.slice(mention.length)}`),
  };
}

/** The command whose answer the Home tab shows. */
const HOME = 'home';

const HomeOpened = z.object({
  event_id: z.string(),
  event: z.object({ user: z.string(), tab: z.string() }),
});

/** Reads Slack's event about a person who opened the app's Home tab. Undefined if the person opened a different tab. */
export function fromHomeOpened(body: unknown): Incoming | undefined {
  const { event_id, event } = HomeOpened.parse(body);
  if (event.tab !== 'home') return undefined;
  return { ...NOWHERE, id: event_id, user: event.user, home: 'opened', did: commandIn(HOME) };
}

const BlockActions = z.object({
  trigger_id: z.string().optional(),
  user: z.object({ id: z.string() }),
  response_url: z.string().optional(),
  channel: z.object({ id: z.string() }).optional(),
  container: z.object({
    message_ts: z.string().default(''),
    channel_id: z.string().optional(),
    thread_ts: z.string().optional(),
    is_ephemeral: z.boolean().default(false),
  }),
  message: z.object({ thread_ts: z.string().optional() }).optional(),
  /** The modal or the Home tab that contains the button. Undefined for a button in a message. */
  view: z.object({ type: z.string() }).optional(),
  actions: z
    .array(
      z.object({
        action_id: z.string(),
        action_ts: z.string().optional(),
        url: z.string().optional(),
        selected_option: z.object({ value: z.string() }).nullish(),
      }),
    )
    .min(1),
});

/**
 * Reads a pressed button, or a choice from a menu. Undefined for a button that only opens a link, although Slack
 * reports the press.
 */
export function fromBlockActions(body: unknown): Incoming | undefined {
  const { trigger_id, user, response_url, channel, container, message, view, actions } =
    BlockActions.parse(body);
  const [pressed] = actions;
  if (!pressed || pressed.url !== undefined || pressed.action_id.endsWith(':url')) return undefined;
  if (view?.type === 'modal') return fromForm(InForm.parse(body).view, user.id, pressed, trigger_id);
  const isHome = view?.type === 'home';
  const channelId = channel?.id ?? container.channel_id ?? '';
  const threadTs = container.thread_ts ?? message?.thread_ts;
  // The first message of a thread has its own `ts` as thread_ts, but belongs to the channel.
  const thread = threadTs === container.message_ts ? undefined : threadTs;
  const inThread = thread === undefined ? {} : { thread };
  const source: SourceMessage = {
    channel: channelId,
    ts: container.message_ts,
    ...inThread,
    ephemeral: container.is_ephemeral,
  };
  return {
    id: trigger_id ?? `${container.message_ts}-${user.id}-${pressed.action_ts ?? pressed.action_id}`,
    user: user.id,
    channel: channelId,
    ...inThread,
    threadOpen: thread !== undefined,
    ...(response_url === undefined ? {} : { responseUrl: response_url }),
    // A button in the Home tab belongs to no message.
    ...(isHome ? { home: 'pressed' } : { source }),
    ...(trigger_id === undefined ? {} : { trigger: trigger_id }),
    did: {
      kind: 'action',
      action: actionOf(pressed.action_id),
      chosen: pressed.selected_option ? [pressed.selected_option.value] : [],
    },
  };
}

const GlobalShortcut = z.object({
  callback_id: z.string(),
  trigger_id: z.string(),
  user: z.object({ id: z.string() }),
});

/**
 * Reads a global shortcut, for which Slack names no message and no channel. The id of the shortcut is the command's
 * name.
 */
export function fromGlobalShortcut(body: unknown): Incoming {
  const { callback_id, trigger_id, user } = GlobalShortcut.parse(body);
  return { ...NOWHERE, id: trigger_id, user: user.id, trigger: trigger_id, did: commandIn(callback_id) };
}

const MessageShortcut = GlobalShortcut.extend({
  response_url: z.string(),
  channel: z.object({ id: z.string() }),
  message_ts: z.string(),
  message: z.object({
    bot_id: z.string().optional(),
    user: z.string().optional(),
    thread_ts: z.string().optional(),
    text: z.string().optional(),
    blocks: z.array(z.unknown()).optional(),
  }),
});

/** Reads a shortcut from the menu of a message. The id of the shortcut is the name of the action. */
export function fromMessageShortcut(body: unknown, own: Identity): Incoming {
  const { callback_id, trigger_id, user, response_url, channel, message_ts, message } =
    MessageShortcut.parse(body);
  const { bot_id, thread_ts, text = '', blocks = [] } = message;
  const thread = thread_ts === message_ts ? undefined : thread_ts;
  const isOwn = bot_id === own.botId || message.user === own.botUser;
  return {
    id: trigger_id,
    user: user.id,
    channel: channel.id,
    ...(thread === undefined ? {} : { thread }),
    threadOpen: thread !== undefined,
    responseUrl: response_url,
    trigger: trigger_id,
    did: {
      kind: 'message',
      entry: callback_id,
      ts: message_ts,
      buttons: isOwn ? buttonsIn(blocks) : [],
      ...(isOwn && thread !== undefined ? { parent: thread } : {}),
      content: isOwn ? JSON.stringify([text, blocks]) : '',
    },
  };
}

const Button = z.object({ type: z.literal('button'), action_id: z.string() });
const Actions = z.object({ type: z.literal('actions'), elements: z.array(z.unknown()) });

/** The actions of all buttons of a message. The bot puts buttons only into blocks of the type `actions`. */
function buttonsIn(blocks: readonly unknown[]): ActionRef[] {
  const elements = blocks.flatMap((block) => Actions.safeParse(block).data?.elements ?? []);
  return elements.flatMap((element) => {
    const id = Button.safeParse(element).data?.action_id;
    return (id !== undefined && actionOf(id)) || [];
  });
}

/**
 * Reads the action from the id of a button. The id may begin with a number, because Slack requires that all ids of a
 * message are different.
 */
function actionOf(id: string): ActionRef | undefined {
  return decodeActionId(id.replace(/^\d+:/, ''));
}

const InForm = z.object({ view: View });

/** Reads a pressed button inside an open form. */
function fromForm(
  view: z.infer<typeof View>,
  user: string,
  pressed: { readonly action_id: string; readonly action_ts?: string | undefined },
  trigger: string | undefined,
): Incoming {
  const place = placeOf(view);
  return {
    ...(place ?? NOWHERE),
    id: trigger ?? `${view.id}-${pressed.action_ts ?? pressed.action_id}`,
    user,
    view: view.id,
    did: {
      kind: 'action',
      action: place && decodeActionId(pressed.action_id),
      chosen: [],
      fields: valuesOf(view),
    },
  };
}

const ViewSubmission = z.object({ user: z.object({ id: z.string() }), view: View });

const ViewClosed = z.object({
  user: z.object({ id: z.string() }),
  view: View.omit({ state: true }),
});

/**
 * Reads a submitted form. If Slack could not reach the bot, the person may submit the same view again, with a different
 * `trigger_id`. The id of the view stays the same, and therefore identifies the submission.
 */
export function fromViewSubmission(body: unknown): Incoming {
  const { user, view } = ViewSubmission.parse(body);
  const place = placeOf(view);
  const channel = channelOf(view);
  return {
    ...(place ?? NOWHERE),
    ...(channel === undefined ? {} : { channel }),
    id: view.id,
    user: user.id,
    fieldNames: Object.keys(view.state.values),
    did: { kind: 'form', action: place && decodeActionId(view.callback_id), fields: valuesOf(view) },
  };
}

/**
 * Reads Slack's event about a person who closed a form. Undefined if the form comes from an incompatible version of the
 * bot.
 */
export function fromViewClosed(body: unknown) {
  const { user, view } = ViewClosed.parse(body);
  const place = placeOf(view);
  const action = decodeActionId(view.callback_id);
  return place && action && { user: user.id, place, action };
}

/** Used if Slack names no channel. The bot then answers the person directly. */
const NOWHERE = { channel: '', threadOpen: false };

const BlockSuggestion = z.object({
  user: z.object({ id: z.string() }),
  action_id: z.string(),
  value: z.string().default(''),
  view: View,
});

/**
 * Reads a request for suggestions, which Slack sends while a person is typing in a field of a form. Undefined if the
 * form comes from an incompatible version of the bot.
 */
export function fromBlockSuggestion(body: unknown) {
  const { user, action_id, value: typed, view } = BlockSuggestion.parse(body);
  const place = placeOf(view);
  const asked = decodeActionId(action_id);
  if (!place || !asked) return undefined;
  const { command, action: option, arg } = asked;
  const subcommand = arg || undefined;
  const question = { command, subcommand, option, typed, onlyOffered: true, given: valuesOf(view) } as const;
  return { user: user.id, place, question };
}

/** The command that runs if a person types only the name of the bot. */
const MENU = 'menu';

/**
 * Splits a text into the command, which is the first word, and the rest. Changes the command to lower case, because a
 * phone may have capitalised the word. The rest keeps its capitals. If the text is too long, reads only the command,
 * and returns the whole text unchanged.
 */
function commandIn(said: string): Extract<Incoming['did'], { kind: 'command' }> {
  if (said.length > MAX_REQUEST) {
    const [, command = ''] = /^\s*(\w*)/.exec(said.slice(0, MAX_COMMAND)) ?? [];
    return { kind: 'command', command, text: said };
  }
  const typed = unaddressed(unformatted(unescapeTyped(said)));
  const [command, text] = firstWord(typed.trim());
  return { kind: 'command', command: command.toLowerCase() || MENU, text };
}
