import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import { type Clock, seldom } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { createBoltLogger } from './bolt-logger.ts';
import { HTTPReceiver, verifySlackRequest } from './bolt-package.ts';
import { SLACK_PATH } from './manifest.ts';
import type { SlackReceiver } from './receiver.ts';

/** The largest accepted body in bytes. Slack's largest payloads take a few hundred kilobytes (views: 250 KB). */
const BODY_LIMIT = 1024 * 1024;

/**
 * Requests that are dated further in the future than this are refused. Bolt refuses requests that are older than five
 * minutes, but accepts a date in the future. An attacker could replay such a request until five minutes after its date.
 */
const AHEAD_SECONDS = 300;

export interface HttpReceiverParts {
  readonly signingSecret: string;
  readonly logger: ReturnType<typeof createBoltLogger>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Bolt's own HTTP listener, which checks the signature of each request. The listener opens no port. This code reads the
 * body and stores it as `rawBody`, where Bolt looks first. Bolt expects an object as the signed body. Any other body
 * would cause an unhandled rejection in Bolt, so this code refuses the body.
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
    // After a 503, Slack sends events again.
    if (!open) return answer(response, 503);
    if (request.method !== 'POST') return answer(response, 404);
    if (isFromFuture(request.headers['x-slack-request-timestamp']))
      return refuse(response, 'the timestamp is more than five minutes ahead');
    const rawBody = await bodyOf(request);
    if (!rawBody) return answer(response, 413);
    const body = rawBody.toString();
    // Refuses a bad signature before Bolt sees the request. Bolt would log a line for each refused request, and
    // strangers can send any number of requests.
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
      // If the client closed the connection in the middle of a body, `take` fails.
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
      // Reads the rest of the body and drops it. A client that is still sending would not see the response.
      request.resume();
      return undefined;
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

const FORM = 'application/x-www-form-urlencoded';

/**
 * Whether the request is an SSL check by Slack. Slack does not sign this check, and Bolt reads no other field of such a
 * request.
 */
function isSslCheck(body: string, contentType: string | undefined): boolean {
  return contentType === FORM && parse(body).ssl_check === '1';
}

/**
 * Returns the problem with the signature in Bolt's words. The words contain no text of the request. Returns undefined
 * if the signature is valid.
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

/** Uses the clock of the machine, as Bolt does for its own check. */
function isFromFuture(timestamp: string | string[] | undefined): boolean {
  return Number(timestamp) > Date.now() / 1000 + AHEAD_SECONDS;
}

/**
 * Whether the body is JSON but not an object, for example `null`, a number or a list. For a form, the field `payload`
 * is checked. Returns false for text that is not JSON, because Bolt refuses such a text itself.
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
