import { GatewayCloseCodes } from 'discord-api-types/v10';
import { AppError, ConfigError } from '../../errors.ts';
import { codeOf } from './errors.ts';
import { DiscordAPIError, HTTPError } from './rest-package.ts';

/** Explains why Discord refused the bot's login, and how to correct the cause. */
export function toStartError(error: unknown, apiUrl: string | undefined): AppError {
  const message = error instanceof Error ? error.message : String(error);
  // Discord refuses a token in two ways. The REST API answers 401. The gateway closes the connection with the code
  // 4004, and the gateway package throws an error with the text below.
  const badToken = error instanceof DiscordAPIError && error.status === 401;
  if (badToken || message === 'Authentication failed') return badTokenError();
  if (message === 'Used disallowed intents' || message === 'Used invalid intents') {
    return new AppError('discord-intents', 'Discord does not allow me the intents that I ask for.', {
      hint: 'I ask for Guilds only, which every bot may use: make sure that DISCORD_TOKEN belongs to a bot.',
      cause: error,
    });
  }
  if (message.startsWith('Not enough sessions remaining')) {
    return new AppError('discord-sessions', 'Discord allows me no more logins today.', {
      hint: `The bot is being restarted over and over: correct the cause of the restarts first. ${/resets at \S+/.exec(message)?.[0] ?? ''}`.trim(),
      cause: error,
    });
  }
  if (error instanceof HTTPError) {
    return new AppError('discord-unavailable', `Discord has a problem of its own (HTTP ${error.status}).`, {
      hint: 'Try again later; see https://discordstatus.com',
      cause: error,
    });
  }
  const code = codeOf(error);
  return new AppError('discord-unreachable', `Discord cannot be reached${code ? ` (${code})` : ''}.`, {
    hint: apiUrl
      ? `DISCORD_API_URL is ${apiUrl}: is the address right, and is a Discord API there?`
      : 'Check the network of this machine (a proxy or firewall?), and https://discordstatus.com',
    cause: error,
  });
}

/**
 * Explains why Discord closed a working connection permanently (Opcodes and Status Codes, "Gateway Close Event Codes").
 */
export function toLostError(closeCode: number): AppError {
  if (closeCode === GatewayCloseCodes.AuthenticationFailed) return badTokenError();
  return new AppError('discord-lost', `Discord has closed the connection for good (code ${closeCode}).`, {
    hint: 'Look at the Bot page of your application, and restart the bot.',
  });
}

function badTokenError(): ConfigError {
  return new ConfigError([
    'DISCORD_TOKEN is not accepted by Discord: copy the current one from the Bot page of your application (Reset Token shows a new one)',
  ]);
}
