import type { Message } from '../../chat/card.ts';
import { spelled } from '../../chat/typed.ts';
import { isDeliveryError } from '../../errors.ts';
import { render } from './render.ts';
import { spellingIn } from './spelling.ts';

/**
 * The errors by which Slack refuses blocks that the workspace does not accept. A response_url answers only with HTTP
 * 400.
 */
const REFUSED = ['slack-invalid-blocks', 'slack-http-400'] as const;

/**
 * Renders messages for the bot's workspace. Slack introduces new types of blocks workspace by workspace, and has no
 * call that says which types a workspace accepts. Therefore the bot first sends a message with new blocks. If Slack
 * refuses the message, the bot sends the message again without new blocks. If Slack then accepts the message, the bot
 * does not use the refused types again until its next start.
 *
 * `thread` is the thread in which people read the message.
 */
export function createRendering() {
  let takes = { dataTables: true, containers: true, plans: true };
  return async <T>(
    given: Message,
    thread: string | undefined,
    send: (content: ReturnType<typeof render>) => Promise<T>,
  ): Promise<T> => {
    const message = spelled(given, spellingIn(thread));
    const content = render(message, takes);
    try {
      return await send(content);
    } catch (error) {
      const has = (block: string) => content.blocks.some(({ type }) => type === block);
      const isNew = has('data_table') || has('container') || has('plan');
      if (!isNew || !isDeliveryError(error, ...REFUSED)) throw error;
      const sent = await send(render(message));
      takes = {
        dataTables: takes.dataTables && !has('data_table'),
        containers: takes.containers && !has('container'),
        plans: takes.plans && !has('plan'),
      };
      return sent;
    }
  };
}
