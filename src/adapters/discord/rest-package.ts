import type * as Rest from '@discordjs/rest';

/**
 * The REST client of discord.js, in its build for the web. The build for Node.js would load a second version of undici,
 * which takes 20 MiB. The bot does not need a second version, because `createRest` sends the requests. In Node.js, the
 * package's name always leads to the build for Node.js, so this module loads the file of the web build.
 */
const file = new URL('./web.mjs', import.meta.resolve('@discordjs/rest'));
export const { DiscordAPIError, HTTPError, RateLimitError, REST } = (await import(file.href)) as typeof Rest;
