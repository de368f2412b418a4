import { createHmac } from 'node:crypto';
import type { EnvelopeKind } from './slack-socket.ts';
import { SLACK_TOKENS } from './slack-world.ts';

/** The signature and the headers of a request to the bot. */
export interface InboundOptions {
  readonly secret?: string;
  /** In seconds since the epoch. */
  readonly timestamp?: number;
  readonly unsigned?: boolean;
  readonly retry?: { readonly attempt: number };
}

/** Posts to the bot like Slack in HTTP mode. */
export async function postToBot(
  botUrl: string,
  kind: EnvelopeKind,
  payload: object,
  options: InboundOptions = {},
): Promise<Response> {
  return await fetch(`${botUrl}/slack/events`, signedRequest(kind, payload, options));
}

/** The signature `v0` is an HMAC-SHA256 of `v0:timestamp:body`. */
export function signedRequest(kind: EnvelopeKind, payload: object, options: InboundOptions = {}) {
  return signedBody(bodyOf(kind, payload), kind === 'events_api', options);
}

/** Signs any body in the same way. The body is JSON or a form. */
export function signedBody(body: string, json = !body.includes('='), options: InboundOptions = {}) {
  const timestamp = String(options.timestamp ?? Math.floor(Date.now() / 1000));
  const hmac = createHmac('sha256', options.secret ?? SLACK_TOKENS.signingSecret);
  const signature = `v0=${hmac.update(`v0:${timestamp}:${body}`).digest('hex')}`;
  const retry = options.retry && {
    'x-slack-retry-num': String(options.retry.attempt),
    'x-slack-retry-reason': 'http_timeout',
  };
  const headers: Record<string, string> = {
    'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
    'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
    ...(options.unsigned ? {} : { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp }),
    ...retry,
  };
  return { method: 'POST', headers, body };
}

function bodyOf(kind: EnvelopeKind, payload: object): string {
  if (kind === 'events_api') return JSON.stringify(payload);
  if (kind === 'interactive') return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return new URLSearchParams(payload as Record<string, string>).toString();
}
