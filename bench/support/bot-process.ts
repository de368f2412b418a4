/** A process with the whole bot, on a chat in memory. */
import { startMemoryBot } from '../../test/support/memory-bot.ts';
import { answerParent } from './processes.ts';

const bot = await startMemoryBot(process.env);

answerParent(({ id, tag }) => bot.say(id, `deploy kart-racing v1.2 --near Montreal --tag ${tag}`));
