import { ConfigError, DeliveryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { SlackApi } from './api.ts';
import { webApi } from './bolt-package.ts';
import { connectionErrorCode, slackErrorCode, toDeliveryError } from './errors.ts';
import { missingScopes } from './manifest.ts';

/** The bot's ids in its workspace. */
export type Identity = Awaited<ReturnType<typeof fetchIdentity>>;

/** Asks Slack to which bot and workspace the token belongs. Throws ConfigError if the token is wrong. */
export async function fetchIdentity(api: SlackApi, log: Logger) {
  try {
    const answer = await api.read.auth.test();
    if (!answer.team_id || !answer.bot_id || !answer.user_id)
      throw new ConfigError([
        'SLACK_BOT_TOKEN is not a bot token: copy the Bot User OAuth Token, which starts with xoxb-',
      ]);
    warnOfMissingScopes(answer.response_metadata?.scopes, log);
    return {
      team: answer.team_id,
      // Present only on Enterprise Grid.
      enterprise: answer.enterprise_id || undefined,
      botId: answer.bot_id,
      botUser: answer.user_id,
    };
  } catch (error) {
    throw startError('SLACK_BOT_TOKEN', 'the Bot User OAuth Token from "OAuth & Permissions"', error);
  }
}

/**
 * Explains why the bot cannot connect with a token. Returns a ConfigError if the token is wrong or lacks a scope, and
 * otherwise a DeliveryError.
 */
export function startError(setting: string, source: string, error: unknown): Error {
  if (error instanceof ConfigError) return error;
  const code = slackErrorCode(error);
  if (code === 'missing_scope')
    return new ConfigError([`${setting} lacks a scope: compare your Slack app with npm run slack:manifest`]);
  if (code === 'account_inactive' || code === 'token_revoked' || code === 'token_expired')
    return new ConfigError([
      `${setting} is no longer valid (${code}): install your Slack app again and copy the new token`,
    ]);
  if (code === 'not_allowed_token_type')
    return new ConfigError([`${setting} is a token of another kind: copy ${source}`]);
  if (code === 'invalid_auth' || code === 'not_authed')
    return new ConfigError([`${setting} is not accepted by Slack (${code}): copy ${source}`]);
  if (code !== undefined || error instanceof DeliveryError) return toDeliveryError(error);
  const { retryAfterMs, outcome } = toDeliveryError(error);
  const reason = connectionErrorCode(error) ?? httpStatus(error);
  return new DeliveryError('slack-unreachable', `I cannot reach Slack${reason ? ` (${reason})` : ''}.`, {
    hint: 'Check the network of this machine (a proxy or firewall?), SLACK_API_URL if it is set, and https://slack-status.com',
    cause: error,
    outcome,
    retryable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function httpStatus(error: unknown): string | undefined {
  if (error instanceof webApi.WebAPIRateLimitedError) return 'HTTP 429';
  return error instanceof webApi.WebAPIHTTPError ? `HTTP ${error.statusCode}` : undefined;
}

/**
 * Logs a warning if the token lacks scopes. Slack sends the token's scopes with every answer (`x-oauth-scopes`). The
 * app's events, shortcuts and commands are not checked, because the bot's tokens cannot read them.
 */
function warnOfMissingScopes(granted: readonly string[] | undefined, log: Logger): void {
  if (!granted) return;
  const missing = missingScopes(granted).map(({ scope, lacks }) => `${scope}: ${lacks}`);
  if (missing.length > 0)
    log.warn(
      { missing },
      'the Slack app lacks scopes: compare the app with npm run slack:manifest and install the app again',
    );
}
