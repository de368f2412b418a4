import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { type Clock, seldom } from '../clock.ts';
import { CALLBACK_EVENTS, type CallbackEvent } from '../deployments/deployment.ts';
import type { Logger } from '../log.ts';

export interface CallbackReceiver {
  /** Resolves with true if the secret is right and the deployment is known. */
  isOurs(id: string, secret: string): Promise<boolean>;
  /** Stores a callback whose secret was checked. Rejects if the callback cannot be stored. */
  receive(event: CallbackEvent, id: string, body: string): Promise<void>;
}

/**
 * `POST /callbacks/edgegap/<event>/<intent id>.<secret>`. The bot answers as soon as the callback is stored. Edgegap
 * waits only ten seconds and does not repeat a callback. If the callback cannot be stored, the reconciler finds the
 * event later.
 */
export function callbackRoutes(callbacks: CallbackReceiver, clock: Clock, log: Logger): FastifyPluginAsync {
  const countRefused = seldom(clock);
  return async (app) => {
    // Callbacks with any content type are accepted, even with a malformed body, because only the secret matters.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.addHook('onRequest', async ({ raw }) => {
      // Fastify would answer 415 to a malformed content type before any parser runs, so this line replaces the content
      // type.
      raw.headers['content-type'] = 'application/octet-stream';
    });
    app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
      const { statusCode } = error;
      if (statusCode !== undefined && statusCode < 500)
        return reply.code(statusCode).send({ error: error.message });
      log.error({ err: error }, 'callbacks: a callback could not be stored');
      return reply.code(503).send({ error: 'try again later' });
    });
    app.post<{ Params: { event: string; token: string } }>(
      '/callbacks/edgegap/:event/:token',
      {
        // Checks the secret before the body is read. A request without the secret must not use memory for its body.
        async onRequest({ params }, reply) {
          const event = eventOf(params.event);
          if (!event || !(await callbacks.isOurs(...atFirstDot(params.token)))) return refuse(reply, event);
        },
      },
      async ({ params, body }, reply) => {
        const event = eventOf(params.event);
        if (!event) return refuse(reply, event);
        const [id] = atFirstDot(params.token);
        await callbacks.receive(event, id, Buffer.isBuffer(body) ? body.toString('utf8') : '');
        return reply.code(200).send({ status: 'stored' });
      },
    );
  };

  function refuse(reply: FastifyReply, event: CallbackEvent | undefined): FastifyReply {
    const refused = countRefused();
    if (refused !== undefined)
      log.warn({ event: event ?? 'unknown', refused }, 'callbacks: refused a callback with a wrong secret');
    return reply.code(404).send({ error: 'not found' });
  }
}

function eventOf(name: string): CallbackEvent | undefined {
  return CALLBACK_EVENTS.find((one) => one === name);
}

function atFirstDot(token: string): [id: string, secret: string] {
  const dot = token.indexOf('.');
  return dot < 0 ? [token, ''] : [token.slice(0, dot), token.slice(dot + 1)];
}
