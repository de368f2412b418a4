import { isCommandLine, type Spelling } from '../../chat/typed.ts';
import { BOT_NAME, SLASH_COMMAND } from './manifest.ts';

/**
 * How commands are written for people in this thread or channel. Slack has no slash commands in threads, so people
 * mention the bot there.
 */
export function spellingIn(thread: string | undefined): Spelling {
  const prompt = thread === undefined ? SLASH_COMMAND : `@${BOT_NAME}`;
  return (typed) => ({ typed: isCommandLine(typed) ? `${prompt} ${typed}` : typed });
}
