import { RESTJSONErrorCodes as codes } from 'discord-api-types/v10';
import { DeliveryError } from '../../errors.ts';
import { DiscordAPIError, HTTPError, RateLimitError } from './rest-package.ts';

type Meaning = readonly [code: string, sentence: string, hint?: string];

const directClosed: Meaning = ['discord-direct-closed', 'This person takes no direct messages from me.'];
const answerExpired: Meaning = [
  'discord-answer-expired',
  'Discord no longer takes an answer to this command.',
  'Run the command again.',
];

/** The code of the error if a person does not belong to a server. */
export const UNKNOWN_MEMBER = 'discord-unknown-member';

const PERMISSIONS_HINT =
  'In the channel settings, under Permissions, allow me: View Channel, Send Messages (in threads: Send Messages in Threads), Read Message History and Attach Files.';
const THREAD_HINT = 'Open or unlock the thread, or use its channel.';

const meanings: Readonly<Record<number, Meaning>> = {
  [codes.UnknownChannel]: ['discord-unknown-channel', 'The channel no longer exists.'],
  [codes.UnknownMember]: [UNKNOWN_MEMBER, 'This person is not a member of the server.'],
  [codes.UnknownUser]: [UNKNOWN_MEMBER, 'This person has no account any more.'],
  [codes.UnknownMessage]: ['discord-unknown-message', 'The message was deleted.'],
  [codes.UnknownWebhook]: answerExpired,
  [codes.InvalidWebhookToken]: answerExpired,
  [codes.UnknownInteraction]: [
    'discord-too-late',
    'My first response came too late: Discord waits for 3 seconds.',
    'Try again; if this goes on, whoever runs me should check the load of my machine.',
  ],
  [codes.InteractionHasAlreadyBeenAcknowledged]: [
    'discord-answered-elsewhere',
    'Another process has answered this command already.',
    'Make sure that only one copy of the bot runs with this token.',
  ],
  [codes.RequestEntityTooLarge]: ['discord-too-large', 'The file is larger than Discord takes.'],
  [codes.MissingAccess]: ['discord-missing-access', 'I cannot see this channel.', PERMISSIONS_HINT],
  [codes.CannotSendMessagesToThisUser]: directClosed,
  [codes.CannotSendMessagesToThisUserDueToHavingNoMutualGuilds]: directClosed,
  [codes.MissingPermissions]: [
    'discord-missing-permissions',
    'I may not post in this channel.',
    PERMISSIONS_HINT,
  ],
  [codes.InvalidActionOnArchivedThread]: ['discord-thread-closed', 'The thread is closed.', THREAD_HINT],
  [codes.ThreadLocked]: ['discord-thread-closed', 'The thread is locked.', THREAD_HINT],
};

/** Errors whose cause an administrator of the server can correct. */
const MENDABLE = new Set<number>([
  codes.MissingAccess,
  codes.MissingPermissions,
  codes.InvalidActionOnArchivedThread,
  codes.ThreadLocked,
]);

/** Errors that mean that no connection was made, so nothing can have been shown. */
const NEVER_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

/** Turns the failure of a request into an error for the outbox and for a person. */
export function toDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof RateLimitError) {
    return new DeliveryError('discord-rate-limited', 'Discord asks me to wait before the next message.', {
      cause: error,
      outcome: 'not-sent',
      retryable: true,
      retryAfterMs: Math.max(error.retryAfter, error.timeToReset, 0),
      // Each route has its own rate limit. Only the global limit concerns the whole bot (Rate Limits, "Global Rate
      // Limit").
      ...(error.global ? { heldUp: { posts: true, edits: true, everywhere: true } } : {}),
    });
  }
  if (error instanceof DiscordAPIError) return fromApi(error);
  if (error instanceof HTTPError) {
    const sentence = `Discord has a problem of its own (HTTP ${error.status}).`;
    const hint = 'See https://discordstatus.com';
    const options = { hint, cause: error, outcome: 'unknown', retryable: true } as const;
    return new DeliveryError('discord-unavailable', sentence, options);
  }
  return fromConnection(error);
}

/** The error for an interaction token that is too old to be used. */
export function expired(): DeliveryError {
  const [code, sentence, hint] = answerExpired;
  return new DeliveryError(code, sentence, { hint, outcome: 'not-sent', retryable: false });
}

function fromApi(error: InstanceType<typeof DiscordAPIError>): DeliveryError {
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
    { ...final, hint: 'The fault is mine; whoever runs me finds more in my log.' },
  );
}

function fromConnection(error: unknown): DeliveryError {
  // After a 401, discord.js forgets the token, and from then on throws this error for every request.
  if (error instanceof Error && error.message.startsWith('Expected token to be set'))
    return tokenRefused(error);
  return new DeliveryError('discord-unreachable', 'Discord cannot be reached.', {
    hint: 'Check the network of the machine that the bot runs on, and https://discordstatus.com',
    cause: error,
    outcome: NEVER_SENT.test(codeOf(error) ?? '') ? 'not-sent' : 'unknown',
    retryable: true,
  });
}

function tokenRefused(cause: unknown): DeliveryError {
  return new DeliveryError('discord-token', 'Discord no longer accepts my token.', {
    hint: 'Set DISCORD_TOKEN to the current token, from the Bot page of your application, and restart the bot.',
    cause,
    outcome: 'not-sent',
    retryable: false,
    mendable: true,
  });
}

/** The code of an error of Node or undici, or of the error's cause. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause);
}

/**
 * Turns the error of an edit in a closed thread into an error after which the edit is not tried again. The thread
 * reopens only when a person writes in the thread. By then, the edit is out of date.
 */
export function giveUp(error: DeliveryError): never {
  if (error.retryable) throw error;
  const { code, userMessage, hint = '' } = error;
  throw new DeliveryError(code, userMessage, { hint, cause: error, outcome: 'not-sent', retryable: false });
}
