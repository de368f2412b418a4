import type { FastifyPluginAsync } from 'fastify';
import { CALLBACK_EVENTS, type CallbackEvent } from '../deployments/callbacks.ts';
import type { Logger } from '../log.ts';

/** Stores a callback; false when its secret is wrong or its deployment is not known. */
export interface CallbackReceiver {
  receive(event: CallbackEvent, id: string, secret: string, body: string): Promise<boolean>;
}

/**
 * `POST /callbacks/edgegap/<event>/<intent id>.<secret>`. Answered as soon as it is stored: Edgegap waits ten seconds
 * and does not call a second time. If it cannot be stored, the reconciler finds out what it would have said.
 */
export function callbackRoutes(callbacks: CallbackReceiver, log: Logger): FastifyPluginAsync {
  return async (app) => {
    // Whatever the content type and however broken the body: it is the secret that counts.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.addHook('onRequest', async ({ raw }) => {
      // Fastify answers 415 to a malformed one before it asks any parser.
      raw.headers['content-type'] = 'application/octet-stream';
    });
    app.post<{ Params: { event: string; token: string } }>(
      '/callbacks/edgegap/:event/:token',
      async ({ params, body }, reply) => {
        const event = CALLBACK_EVENTS.find((one) => one === params.event);
        const [id, secret] = atFirstDot(params.token);
        const text = Buffer.isBuffer(body) ? body.toString('utf8') : '';
        if (!event || !(await callbacks.receive(event, id, secret, text))) {
          log.warn({ event: event ?? 'unknown' }, 'callbacks: refused one without the right secret');
          return reply.code(404).send({ error: 'not found' });
        }
        return reply.code(200).send({ status: 'stored' });
      },
    );
  };
}

function atFirstDot(token: string): [id: string, secret: string] {
  const dot = token.indexOf('.');
  return dot < 0 ? [token, ''] : [token.slice(0, dot), token.slice(dot + 1)];
}
