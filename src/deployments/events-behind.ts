import type { Store } from '../store/schema.ts';
import { CALLBACK_EVENTS, type CallbackEvent, type Deployment } from './deployment.ts';
import { hasStatus, isBeyond, type News, type Since } from './state.ts';

/** The events for which Edgegap has sent a callback, and the time at which each callback arrived. */
export interface EventsBehind {
  readonly events: readonly CallbackEvent[];
  readonly since: Since;
}

/**
 * Returns the events for which Edgegap has sent a callback. A status after an event no longer shows the event. The
 * store is read if this news or the doubted status contains such a later status. Two kinds of callbacks are left out. A
 * callback that is not handled yet is left out, because its body will be read later. An error callback that was handled
 * before the deployment became ready is left out, because the later status showed that the deployment had not failed.
 */
export async function eventsBehind(
  tx: Store,
  { id, readyAt, errorAt, doubted }: Deployment,
  news: News,
): Promise<EventsBehind> {
  const said = hasStatus(news) ? news : undefined;
  const events = said?.events ?? [];
  const isOpen = [said?.status, doubted].some(
    (status) =>
      status &&
      ((readyAt === undefined && isBeyond(status, 'ready')) ||
        (errorAt === undefined && isBeyond(status, 'error'))),
  );
  if (!isOpen) return { events, since: {} };
  const rows = await tx
    .selectFrom('callbacks')
    .select(['event', 'handled_at', 'received_at'])
    .where('deployment_id', '=', id)
    .execute();
  const isRefuted = (event: string, handledAt: number) =>
    event === 'error' && readyAt !== undefined && readyAt > handledAt;
  const handled = rows.filter(
    ({ event, handled_at }) => handled_at !== null && !isRefuted(event, handled_at),
  );
  return {
    events: CALLBACK_EVENTS.filter(
      (one) => events.includes(one) || handled.some(({ event }) => event === one),
    ),
    since: Object.fromEntries(rows.map(({ event, received_at }) => [event, received_at])),
  };
}
