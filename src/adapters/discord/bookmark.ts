import type { SessionInfo } from '@discordjs/ws';
import { z } from 'zod';

/**
 * The sessions of the gateway, which a process stores for the next process. A session can be resumed only with the
 * bot's token.
 */
const Bookmark = z.object({
  bot: z.string(),
  sessions: z.array(
    z.object({
      sessionId: z.string(),
      sequence: z.number(),
      shardId: z.number(),
      shardCount: z.number(),
      resumeURL: z.string(),
    }),
  ),
});

export function writeBookmark(sessions: readonly SessionInfo[], bot: string): string {
  return JSON.stringify({ bot, sessions: [...sessions] } satisfies z.input<typeof Bookmark>);
}

/**
 * Returns the sessions if they belong to this bot. The bookmark of a different bot can be in the store after a change
 * of the token, or in a copy of a database.
 */
export function readBookmark(written: string | undefined, bot: string): readonly SessionInfo[] {
  if (written === undefined) return [];
  const read = Bookmark.safeParse(JSON.parse(written));
  return read.success && read.data.bot === bot ? read.data.sessions : [];
}
