import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import { HTTPReceiver, verifySlackRequest } from '@slack/bolt';
import { type Clock, seldom } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { createBoltLogger } from './bolt-logger.ts';
import { SLACK_PATH } from './manifest.ts';
import type { SlackReceiver } from './receiver.ts';

/** Slack's largest payloads are a few hundred kilobytes (views, 250 KB). */
const BODY_LIMIT = 1024 * 1024;

/** Bolt refuses what is older than five minutes; what is from the future could be sent again all that time. */
const AHEAD_SECONDS = 300;

export interface HttpReceiverParts {
  readonly signingSecret: string;
  readonly logger: ReturnType<typeof createBoltLogger>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Bolt's own HTTP listener, which checks each request's signature. It listens on no port itself. The body is read here
 * and left where Bolt looks first: it trusts that what was signed is an object, and a rejection of its own is nobody's.
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
    // Slack tries events again after an answer like this.
    if (!open) return answer(response, 503);
    if (request.method !== 'POST') return answer(response, 404);
    if (isFromFuture(request.headers['x-slack-request-timestamp']))
      return refuse(response, 'its time is more than five minutes ahead');
    const rawBody = await bodyOf(request);
    if (!rawBody) return answer(response, 413);
    const body = rawBody.toString();
    // Bolt looks as well, and has a line in the log for each: as many as anybody likes.
    const problem = isSslCheck(body, request.headers['content-type'])
      ? undefined
      : unsigned(signingSecret, request, body);
    if (problem !== undefined) return refuse(response, problem);
    if (isNoObject(body, request.headers['content-type'])) return answer(response, 400);
    receiver.requestListener(Object.assign(request, { rawBody }), response);
  }

  return {
    receiver,
    listener(request, response) {
      // A client that goes away in the middle of its body.
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

/** Undefined for one that is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > BODY_LIMIT) {
      // Read on and dropped: a client that is still sending would not see the answer.
      request.resume();
      return undefined;
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

const FORM = 'application/x-www-form-urlencoded';

/** Slack signs none of these, and Bolt looks at nothing else in them. */
function isSslCheck(body: string, contentType: string | undefined): boolean {
  return contentType === FORM && parse(body).ssl_check === '1';
}

/** What is wrong with the signature, in Bolt's words, which hold nothing of the request. */
function unsigned(signingSecret: string, { headers }: IncomingMessage, body: string): string | undefined {
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

/** The same clock as Bolt's: the machine's. */
function isFromFuture(timestamp: string | string[] | undefined): boolean {
  return Number(timestamp) > Date.now() / 1000 + AHEAD_SECONDS;
}

/** JSON, by itself or in a form's `payload`, of `null`, a number, a list. What is no JSON at all Bolt refuses. */
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
