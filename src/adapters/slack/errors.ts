import type { RespondError as Refusal } from '@slack/bolt';
import { DeliveryError, type HeldUp } from '../../errors.ts';
import { RespondError, webApi } from './bolt-package.ts';

interface Meaning {
  readonly sentence: string;
  readonly hint?: string;
  readonly outcome?: 'unknown';
  readonly retryable?: true;
  /** An admin can remove the cause, for example by inviting the bot or by installing the app again. */
  readonly mendable?: true;
}

const INVITE = 'Type /invite @bot in the channel, with the name of this bot, and try again.';
const RIGHTS = 'Ask a workspace admin whether apps may post in this channel.';
const REINSTALL = 'An admin has to install the app again.';

/** After a person has removed the cause, the message can be sent. */
const mendable = (sentence: string, hint: string): Meaning => ({ sentence, hint, mendable: true });
/** No later attempt can succeed. */
const final = (sentence: string, hint?: string): Meaning => ({ sentence, hint });
/** The cause is temporary, and Slack has not shown the message. */
const passing = (sentence: string): Meaning => ({ sentence, retryable: true });
/** The cause is temporary, and Slack may have shown the message. */
const doubtful = (sentence: string): Meaning => ({ sentence, outcome: 'unknown', retryable: true });

const BAD_TOKEN = mendable('Slack no longer accepts my token.', 'An admin has to check SLACK_BOT_TOKEN.');
const OWN_ERROR = doubtful('Slack had an error of its own.');
const NOT_AVAILABLE = doubtful('Slack is not available right now.');
const TOO_LONG = final('The message is too long for Slack.');
const SLOW_DOWN = passing('Slack asks me to slow down.');

/**
 * The meanings of the `error` values of chat.postMessage, chat.update, conversations.* and files.*, from their
 * reference pages.
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  not_in_channel: mendable('I am not a member of this channel, so I cannot post here.', INVITE),
  channel_not_found: mendable('Slack does not let me see this channel, so I cannot post here.', INVITE),
  is_archived: final('This channel is archived.', 'Use another channel, or unarchive this one.'),
  restricted_action: mendable('The settings of this workspace do not let me post here.', RIGHTS),
  restricted_action_read_only_channel: mendable('This channel is read-only for me.', RIGHTS),
  restricted_action_thread_only_channel: final('This channel allows replies in threads only.', RIGHTS),
  restricted_action_non_threadable_channel: final('This channel does not allow threads.', RIGHTS),
  message_not_found: final('The message is no longer there.'),
  thread_not_found: final('The thread is no longer there.'),
  cant_update_message: final('I cannot change this message.'),
  edit_window_closed: final('The settings of this workspace do not let me change messages this old.'),
  msg_too_long: TOO_LONG,
  msg_blocks_too_long: TOO_LONG,
  invalid_blocks: final('Slack did not accept the form of the message.'),
  expired_trigger_id: final('The form came too late for Slack.', 'Press the button to try again.'),
  trigger_expired: final('The form came too late for Slack.', 'Press the button to try again.'),
  exchanged_trigger_id: final('Slack has opened a form for this request already.'),
  // views.update answers with this error.
  not_found: final('The form was closed before its fields were ready.', 'Press the button to open it again.'),
  user_not_in_channel: final('You are not a member of this channel, so I cannot answer you here.'),
  missing_scope: mendable(
    'My Slack app lacks a permission for this.',
    'An admin can compare the app with npm run slack:manifest and install the app again.',
  ),
  invalid_auth: BAD_TOKEN,
  not_authed: BAD_TOKEN,
  token_revoked: mendable('My Slack token was revoked.', REINSTALL),
  token_expired: mendable('My Slack token has expired.', REINSTALL),
  account_inactive: mendable('My Slack app was removed from the workspace.', REINSTALL),
  ratelimited: SLOW_DOWN,
  rate_limited: SLOW_DOWN,
  message_limit_exceeded: passing('This workspace has reached its limit of messages.'),
  service_unavailable: NOT_AVAILABLE,
  team_added_to_org: passing('Slack is moving this workspace right now.'),
  // Slack's reference says: "It's possible some aspect of the operation succeeded before the error was raised."
  fatal_error: OWN_ERROR,
  internal_error: OWN_ERROR,
  // files.completeUploadExternal answers with this error. The failure is temporary, and the bot can repeat the call
  // (python-slack-sdk#1730).
  file_update_failed: OWN_ERROR,
  request_timeout: passing('Slack did not get the whole message.'),
};

/** The codes of connection errors that occur before the request is sent. */
const NEVER_LEFT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;

/**
 * Translates any error of a Slack client into a DeliveryError. `heldUp` says which messages have to wait if Slack
 * answered the call with HTTP 429.
 */
export function toDeliveryError(error: unknown, heldUp?: HeldUp): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof webApi.WebAPIRateLimitedError)
    return failure('ratelimited', SLOW_DOWN, error, { retryAfterMs: error.retryAfter * 1000, heldUp });
  const word = slackErrorCode(error);
  if (word !== undefined) {
    // Slack may have added errors that `MEANINGS` lacks. An unknown error counts as mendable, because its cause is more
    // likely a setting than a permanent problem.
    const unheard = { sentence: `Slack refused the message (${word}).`, mendable: true } as const;
    return failure(word, MEANINGS[word] ?? unheard, error);
  }
  if (error instanceof RespondError) return respondFailure(error);
  if (error instanceof webApi.WebAPIHTTPError) return statusFailure(error.statusCode, error);
  const code = connectionErrorCode(error);
  if (code !== undefined && NEVER_LEFT.test(code))
    return failure('unreachable', passing('I cannot reach Slack right now.'), error);
  const sentence = 'Slack did not answer, so the message may or may not have been posted.';
  return failure('no_answer', doubtful(sentence), error);
}

/** The `error` value in Slack's answer, e.g. `not_in_channel`. */
export function slackErrorCode(error: unknown): string | undefined {
  if (!(error instanceof webApi.WebAPIPlatformError)) return undefined;
  // The client puts the whole body into this field if the body is not JSON, for example if a proxy answered with a
  // page.
  const word: unknown = error.data.error;
  return typeof word === 'string' && /^\w{1,100}$/.test(word) ? word : undefined;
}

/** The error for a payload that has no response_url. */
export function noUrl(): DeliveryError {
  return failure('no_response_url', final('Slack gave me no way to answer this request.'), undefined);
}

/** The error if a command has to post a card in a channel, but Slack's request names no channel. */
export function noChannel(): DeliveryError {
  return new DeliveryError(
    'slack-no-channel',
    'A shortcut has no channel, so there is no place for the card.',
    {
      hint: 'Nothing was done. Type the command in the channel where the card should stand.',
      outcome: 'not-sent',
      retryable: false,
    },
  );
}

/** Throws DeliveryError if a response_url answered with HTTP 200 but refused the message. */
export async function requireAccepted(answer: Pick<Response, 'text'>): Promise<void> {
  const code = /^\s*\{.*"ok"\s*:\s*false.*"error"\s*:\s*"(\w+)"/s.exec(await answer.text())?.[1];
  if (code !== undefined) throw failure(code, MEANINGS[code], undefined);
}

/** A response_url answers 404 after five uses, or after half an hour. */
function respondFailure(error: Refusal): DeliveryError {
  if (error.statusCode !== 404) return statusFailure(error.statusCode, error);
  return failure(
    'response_url_gone',
    final('I can no longer answer this request.', 'Send the command again.'),
    error,
  );
}

function statusFailure(status: number, error: unknown): DeliveryError {
  const refused = final(`Slack refused the message (HTTP ${status}).`);
  return failure(`http_${status}`, status >= 500 ? NOT_AVAILABLE : refused, error);
}

function failure(
  code: string,
  meaning: Meaning | undefined,
  cause: unknown,
  wait: { readonly retryAfterMs?: number; readonly heldUp?: HeldUp | undefined } = {},
): DeliveryError {
  return new DeliveryError(
    `slack-${code.replaceAll('_', '-')}`,
    meaning?.sentence ?? 'Slack refused the message.',
    {
      hint: meaning?.hint,
      cause,
      outcome: meaning?.outcome ?? 'not-sent',
      retryable: meaning?.retryable ?? false,
      mendable: meaning?.mendable ?? false,
      ...wait,
    },
  );
}

/** The system's error code for a failed connection, e.g. `ENOTFOUND`. */
export function connectionErrorCode(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Skips codes in lower case, which belong to errors of Slack's clients.
    if (typeof code === 'string' && /^[A-Z]/.test(code)) return code;
  }
  return undefined;
}
