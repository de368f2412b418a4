import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import { type Clock, seldom } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { createBoltLogger } from './bolt-logger.ts';
import { HTTPReceiver, verifySlackRequest } from './bolt-package.ts';
import { SLACK_PATH } from './manifest.ts';
import type { SlackReceiver } from './receiver.ts';

/**
 * The maximum size of a request body, in bytes. Slack's largest payloads have a few hundred kilobytes (views, 250 KB).
 */
const BODY_LIMIT = 1024 * 1024;

/**
 * The timestamp of a request may be at most this far in the future. Bolt refuses only timestamps that are more than
 * five minutes old. Without this limit, a stranger could record a request with a timestamp in the future, and repeat
 * the request until five minutes after the timestamp.
 */
const AHEAD_SECONDS = 300;

export interface HttpReceiverParts {
  readonly signingSecret: string;
  readonly logger: ReturnType<typeof createBoltLogger>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Checks requests that arrive on the bot's own port, and passes them to Bolt's HTTP listener. Reads the body here, and
 * gives the body to Bolt in `rawBody`. Bolt expects that a signed body is an object, and any other body would cause an
 * unhandled rejection in Bolt. The bot therefore refuses any other body here.
 */
export function createHttpReceiver({ signingSecret, logger, clock, log }: HttpReceiverParts): SlackReceiver {
  const receiver = new HTTPReceiver({ signingSecret, endpoints: [SLACK_PATH], logger });
  const countRefused = seldom(clock);
  let open = false;

  function refuse(response: ServerResponse, reason: string): void {
    const refused = countRefused();
    if (refused !== undefined)
      log.warn({ refused, reason }, 'slack: refused a request that SLACK_SIGNING_SECRET does not confirm');
    answer(response, 401);
  }

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // After HTTP 503, Slack sends an event again.
    if (!open) return answer(response, 503);
    if (request.method !== 'POST') return answer(response, 404);
    if (isFromFuture(request.headers['x-slack-request-timestamp']))
      return refuse(response, 'the timestamp is more than five minutes ahead');
    const rawBody = await bodyOf(request);
    if (!rawBody) return answer(response, 413);
    const body = rawBody.toString();
    // Checks the signature before Bolt does. Bolt would log a line for each refused request, so strangers could fill
    // the log.
    const problem = isSslCheck(body, request.headers['content-type'])
      ? undefined
      : badSignature(signingSecret, request, body);
    if (problem !== undefined) return refuse(response, problem);
    if (isNoObject(body, request.headers['content-type'])) return answer(response, 400);
    receiver.requestListener(Object.assign(request, { rawBody }), response);
  }

  return {
    bolt: receiver,
    listener(request, response) {
      // Reading fails if the client closes the connection in the middle of a body.
      take(request, response).catch(() => response.destroy());
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

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close' }).end();
}

/** Reads the body. Returns undefined if the body is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > BODY_LIMIT) {
      // Reads and drops the rest of the body, because a client may read the answer only after sending the whole body.
      request.resume();
      return undefined;
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

const FORM = 'application/x-www-form-urlencoded';

/**
 * Whether the request is an SSL check by Slack. Slack does not sign SSL checks. Accepting an unsigned check is safe,
 * because Bolt ignores all other fields of the check.
 */
function isSslCheck(body: string, contentType: string | undefined): boolean {
  return contentType === FORM && parse(body).ssl_check === '1';
}

/**
 * Returns Bolt's description of the problem with the signature, or undefined if the signature is valid. The description
 * is safe to log, because it contains no text from the request.
 */
function badSignature(signingSecret: string, { headers }: IncomingMessage, body: string): string | undefined {
  try {
    verifySlackRequest({
      signingSecret,
      body,
      headers: {
        'x-slack-signature': String(headers['x-slack-signature']),
        'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
      },
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Uses the machine's clock, as Bolt does. */
function isFromFuture(timestamp: string | string[] | undefined): boolean {
  return Number(timestamp) > Date.now() / 1000 + AHEAD_SECONDS;
}

/**
 * Whether the body, or the `payload` in a form body, is JSON but not an object: for example `null`, a number or a list.
 * Bolt itself refuses text that is not JSON.
 */
function isNoObject(body: string, contentType: string | undefined): boolean {
  const json = contentType === FORM ? new URLSearchParams(body).get('payload') : body;
  if (json === null) return false;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value !== 'object' || value === null || Array.isArray(value);
  } catch {
    return false;
  }
}
