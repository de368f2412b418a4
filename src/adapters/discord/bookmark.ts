import type { SessionInfo } from '@discordjs/ws';
import { z } from 'zod';

/** The gateway's sessions, as one process leaves them to the next. They are worth nothing without the bot's token. */
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

/** None of another bot's: the token was changed, or the database copied. */
export function readBookmark(written: string | undefined, bot: string): readonly SessionInfo[] {
  if (written === undefined) return [];
  const read = Bookmark.safeParse(JSON.parse(written));
  return read.success && read.data.bot === bot ? read.data.sessions : [];
}
