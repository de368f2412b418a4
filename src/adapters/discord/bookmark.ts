import type { SessionInfo } from '@discordjs/ws';
import { z } from 'zod';

/** The gateway's sessions, which a process leaves to the next process. Sessions are of no use without the bot's token. */
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

/** Returns no session of a different bot, after a change of the token or a copy of the database. */
export function readBookmark(written: string | undefined, bot: string): readonly SessionInfo[] {
  if (written === undefined) return [];
  const read = Bookmark.safeParse(JSON.parse(written));
  return read.success && read.data.bot === bot ? read.data.sessions : [];
}
