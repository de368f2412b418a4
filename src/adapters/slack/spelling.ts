import { isCommandLine, type Spelling } from '../../chat/typed.ts';
import { BOT_NAME, SLASH_COMMAND } from './manifest.ts';

/**
 * Prefixes a command with the bot's slash command. In a thread, the prefix is a mention of the bot, because Slack has
 * no slash commands in threads.
 */
export function spellingIn(thread: string | undefined): Spelling {
  const prompt = thread === undefined ? SLASH_COMMAND : `@${BOT_NAME}`;
  return (typed) => ({ typed: isCommandLine(typed) ? `${prompt} ${typed}` : typed });
}
