import type { Store } from '../store/schema.ts';
import { CALLBACK_EVENTS, type CallbackEvent, type Deployment } from './deployment.ts';
import { hasStatus, isBeyond, type News, type Since } from './state.ts';

/** What Edgegap has called back with, and when. */
export interface EventsBehind {
  readonly events: readonly CallbackEvent[];
  readonly since: Since;
}

/**
 * What Edgegap has called back with, where this news or what was seen before has a status that tells nothing of it any
 * more. Of a callback that is not worked off yet its own body will tell more. An error that was asked about, and of
 * which it became ready since, was none.
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
