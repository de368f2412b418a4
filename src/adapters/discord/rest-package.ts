import type * as Rest from '@discordjs/rest';

/**
 * The REST client of discord.js, in its build for the web. The build for Node.js loads a second version of undici, which
 * takes 20 MiB, and which the bot does not use: `createRest` sends the requests. The package offers the build for the web
 * only to browsers, so its file is named here.
 */
const file = new URL('./web.mjs', import.meta.resolve('@discordjs/rest'));
export const { DiscordAPIError, HTTPError, RateLimitError, REST } = (await import(file.href)) as typeof Rest;
