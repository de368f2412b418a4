import type { Store } from '../store/store.ts';
import { CALLBACK_EVENTS, type CallbackEvent, type Deployment } from './deployment.ts';
import { hasStatus, isBeyond, type News } from './state.ts';

/**
 * What Edgegap has called back with, where this news or what was seen before has a status that tells nothing of it any
 * more. Of a callback that is not worked off yet its own body will tell more.
 */
export async function eventsBehind(
  tx: Store,
  { id, readyAt, errorAt, doubted }: Deployment,
  news: News,
): Promise<readonly CallbackEvent[]> {
  const said = hasStatus(news) ? news : undefined;
  const events = said?.events ?? [];
  const isOpen = [said?.status, doubted].some(
    (status) =>
      status &&
      ((readyAt === undefined && isBeyond(status, 'ready')) ||
        (errorAt === undefined && isBeyond(status, 'error'))),
  );
  if (!isOpen) return events;
  const rows = await tx
    .selectFrom('callbacks')
    .select('event')
    .where('deployment_id', '=', id)
    .where('handled_at', 'is not', null)
    .execute();
  return CALLBACK_EVENTS.filter((one) => events.includes(one) || rows.some(({ event }) => event === one));
}
