import { HTTPReceiver } from '@slack/bolt';
import type { createBoltLogger } from './bolt-logger.ts';
import type { Door } from './door.ts';
import { SLACK_PATH } from './manifest.ts';

/** Slack's largest payloads are a few hundred kilobytes (views, 250 KB). */
const BODY_LIMIT = 1024 * 1024;

/**
 * Bolt's own HTTP listener, which checks each request's signature. It listens on no port itself; it wants the
 * request's stream unread.
 */
export function createHttpDoor(signingSecret: string, logger: ReturnType<typeof createBoltLogger>): Door {
  const receiver = new HTTPReceiver({
    signingSecret,
    endpoints: [SLACK_PATH],
    logger,
    bodyLimit: BODY_LIMIT,
  });
  let open = false;
  return {
    receiver,
    listener(request, response) {
      // Slack tries events again after an answer like this.
      if (!open) return void response.writeHead(503).end();
      try {
        receiver.requestListener(request, response);
      } catch {
        // Bolt throws for every method but POST.
        response.writeHead(404).end();
      }
    },
    open: async () => {
      open = true;
    },
    close: async () => {
      open = false;
    },
    isOpen: () => open,
  };
}
