import { RESTJSONErrorCodes as codes, DiscordAPIError, HTTPError, RateLimitError } from 'discord.js';
import { DeliveryError } from '../../errors.ts';

type Meaning = readonly [code: string, sentence: string, hint?: string];

const directClosed: Meaning = ['discord-direct-closed', 'This person takes no direct messages from the bot.'];
const answerExpired: Meaning = [
  'discord-answer-expired',
  'Discord no longer takes an answer to this command.',
  'Run it again.',
];

const PERMISSIONS_HINT =
  'In the channel settings, Permissions, allow the bot: View Channel, Send Messages (in threads: Send Messages in Threads), Read Message History and Attach Files.';

const meanings: Readonly<Record<number, Meaning>> = {
  [codes.UnknownChannel]: ['discord-unknown-channel', 'The channel no longer exists.'],
  [codes.UnknownMessage]: ['discord-unknown-message', 'The message was deleted.'],
  [codes.UnknownWebhook]: answerExpired,
  [codes.InvalidWebhookToken]: answerExpired,
  [codes.UnknownInteraction]: [
    'discord-too-late',
    'The answer to Discord came too late: it waits for 3 seconds.',
    'Try again; if it keeps happening, look at the load of the machine the bot runs on.',
  ],
  [codes.InteractionHasAlreadyBeenAcknowledged]: [
    'discord-answered-elsewhere',
    'Someone else has answered this command already.',
    'Make sure that only one copy of the bot runs with this token.',
  ],
  [codes.RequestEntityTooLarge]: ['discord-too-large', 'The file is larger than Discord takes.'],
  [codes.MissingAccess]: ['discord-missing-access', 'The bot cannot see this channel.', PERMISSIONS_HINT],
  [codes.CannotSendMessagesToThisUser]: directClosed,
  [codes.CannotSendMessagesToThisUserDueToHavingNoMutualGuilds]: directClosed,
  [codes.MissingPermissions]: [
    'discord-missing-permissions',
    'The bot may not post in this channel.',
    PERMISSIONS_HINT,
  ],
  [codes.InvalidActionOnArchivedThread]: [
    'discord-thread-closed',
    'The thread is closed.',
    'Open it again, or use its channel.',
  ],
  [codes.ThreadLocked]: ['discord-thread-closed', 'The thread is locked.', 'Unlock it, or use its channel.'],
};

/** What an administrator of the server can put right. */
const MENDABLE = new Set<number>([
  codes.MissingAccess,
  codes.MissingPermissions,
  codes.InvalidActionOnArchivedThread,
  codes.ThreadLocked,
]);

/** Errors of a connection that was never made: nothing can have been shown. */
const NEVER_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

/** What went wrong in one request, as the outbox and a person need it. */
export function toDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof RateLimitError) {
    return new DeliveryError('discord-rate-limited', 'Discord asks to wait before the next message.', {
      cause: error,
      outcome: 'not-sent',
      retryable: true,
      retryAfterMs: Math.max(error.retryAfter, error.timeToReset, 0),
      // Each route has a bucket of its own, but for the limit of the whole bot (Rate Limits, "Global Rate Limit").
      ...(error.global ? { heldUp: { posts: true, edits: true, everywhere: true } } : {}),
    });
  }
  if (error instanceof DiscordAPIError) return fromApi(error);
  if (error instanceof HTTPError) {
    const sentence = `Discord has a problem of its own (HTTP ${error.status}).`;
    const hint = 'See https://discordstatus.com';
    const fate = { outcome: 'unknown', retryable: true } as const;
    return new DeliveryError('discord-unavailable', sentence, { hint, cause: error, ...fate });
  }
  return fromConnection(error);
}

/** For a token that is too old to be tried. */
export function expired(): DeliveryError {
  const [code, sentence, hint] = answerExpired;
  return new DeliveryError(code, sentence, { hint, outcome: 'not-sent', retryable: false });
}

function fromApi(error: DiscordAPIError): DeliveryError {
  const final = { cause: error, outcome: 'not-sent', retryable: false } as const;
  if (error.code === codes.MaximumNumberOfEditsToMessagesOlderThanOneHourReached) {
    return new DeliveryError(
      'discord-edit-limit',
      'Discord limits how often a message older than an hour may be edited.',
      { ...final, retryable: true },
    );
  }
  const meaning = meanings[Number(error.code)];
  if (meaning) {
    const [code, sentence, hint] = meaning;
    return new DeliveryError(code, sentence, { ...final, hint, mendable: MENDABLE.has(Number(error.code)) });
  }
  if (error.status === 401) return tokenRefused(error);
  return new DeliveryError(
    'discord-rejected',
    `Discord does not take this message (HTTP ${error.status}, code ${error.code}).`,
    { ...final, hint: 'This is a fault of the bot; its log says more.' },
  );
}

function fromConnection(error: unknown): DeliveryError {
  // After a 401 discord.js forgets the token, and refuses to send anything more.
  if (error instanceof Error && error.message.startsWith('Expected token to be set'))
    return tokenRefused(error);
  const code = codeOf(error) ?? codeOf((error as Error | undefined)?.cause);
  return new DeliveryError('discord-unreachable', 'Discord cannot be reached.', {
    hint: 'Check the network of the machine the bot runs on, and https://discordstatus.com',
    cause: error,
    outcome: NEVER_SENT.test(code ?? '') ? 'not-sent' : 'unknown',
    retryable: true,
  });
}

function tokenRefused(cause: unknown): DeliveryError {
  return new DeliveryError('discord-token', 'Discord no longer accepts the bot token.', {
    hint: 'Set DISCORD_TOKEN to the current token, from the Bot page of your application, and restart the bot.',
    cause,
    outcome: 'not-sent',
    retryable: false,
    mendable: true,
  });
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** For an edit: a thread stays closed until somebody writes there, and by then the edit is old news. */
export function giveUp(error: DeliveryError): never {
  if (error.retryable) throw error;
  const { code, userMessage, hint = '' } = error;
  throw new DeliveryError(code, userMessage, { hint, cause: error, outcome: 'not-sent', retryable: false });
}
