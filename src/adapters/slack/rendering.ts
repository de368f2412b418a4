import type { Message } from '../../chat/card.ts';
import { isDeliveryError } from '../../errors.ts';
import { render } from './render.ts';

/** Slack's answers to blocks that the workspace does not take; a response_url answers with HTTP 400. */
const REFUSED = ['slack-invalid-blocks', 'slack-http-400'] as const;

/**
 * Renders messages for the bot's workspace. Slack gives new blocks to workspace after workspace, and has no call that
 * says which blocks a workspace takes. So a message with a data table is sent, and if Slack refuses the message, it is
 * sent again without a data table. If Slack takes that message, no more data tables are sent until the next start.
 */
export function createRendering() {
  let takesDataTables = true;
  return async <T>(
    message: Message,
    send: (content: ReturnType<typeof render>) => Promise<T>,
  ): Promise<T> => {
    const content = render(message, { dataTables: takesDataTables });
    try {
      return await send(content);
    } catch (error) {
      const isNew = content.blocks.some(({ type }) => type === 'data_table');
      if (!isNew || !isDeliveryError(error, ...REFUSED)) throw error;
      const sent = await send(render(message));
      takesDataTables = false;
      return sent;
    }
  };
}
