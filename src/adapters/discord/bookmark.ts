import type { SessionInfo } from '@discordjs/ws';
import { z } from 'zod';

/**
 * The gateway's sessions, which a process leaves to the next process. A session can only be used together with the
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
 * Returns the sessions if they belong to this bot. A bookmark of a different bot is found after a change of the token
 * or in a copy of the database.
 */
export function readBookmark(written: string | undefined, bot: string): readonly SessionInfo[] {
  if (written === undefined) return [];
  const read = Bookmark.safeParse(JSON.parse(written));
  return read.success && read.data.bot === bot ? read.data.sessions : [];
}
