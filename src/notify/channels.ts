import { type Expression, type SqlBool, sql } from 'kysely';
import { farthest } from '../clock.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import { PUT_OFF_MAX_MS } from './retry-policy.ts';

/** Where messages go: a channel, or one person. */
export interface Destination {
  readonly platform: string;
  readonly workspace: string;
  readonly channel: string;
}

/**
 * So long before a channel opens, in milliseconds, what is next in it is taken: by then that is committed, and the
 * message leaves on time however long the disk takes.
 */
export const LEAD_MS = 250;

/** Platforms count messages and edits apart, so each has a pace of its own. */
export interface Lanes {
  readonly posts: boolean;
  readonly edits: boolean;
}

export function channelId({ platform, workspace, channel }: Destination): string {
  return `${platform}/${workspace}/${channel}`;
}

/** The row of what holds up all channels of a platform; none of them has such a name. */
export function everyChannelId(platform: string): string {
  return `${platform}/*`;
}

/** The same in SQL. */
export function everyChannelIdOf(platform: Expression<string>) {
  return sql<string>`${platform} || '/*'`;
}

/** `channelId` in SQL. */
export function channelIdOf(row: { readonly [Part in keyof Destination]: Expression<string> }) {
  return sql<string>`${row.platform} || '/' || ${row.workspace} || '/' || ${row.channel}`;
}

/** The farthest that something may be put off to; what is beyond was written by a clock that was ahead. */
const latest = (now: number) => farthest(now, PUT_OFF_MAX_MS);

/** A condition: it is `time`, or will be by `by`. Both in epoch milliseconds, as is `now`. */
export function hasCome(time: Expression<number>, now: number, by = now) {
  return sql<SqlBool>`(${time} <= ${by} or ${time} > ${latest(now)})`;
}

/** When a channel opens to which something may go from each of `times` on; no sooner than `now`. */
export function opensAt(times: readonly (number | null | undefined)[], now: number): number {
  return times.reduce<number>(
    (at, time) => (time == null || time > latest(now) ? at : Math.max(at, time)),
    now,
  );
}

/** A condition: this process may send to a channel that `holder` holds. */
export function isFree(membership: Membership, holder: Expression<string | null>) {
  return sql<boolean>`(${holder} = ${membership.id} or ${membership.gone(holder)})`;
}

/**
 * Takes a channel in the transaction that takes its rows, so that one process at a time sends to it, at one pace for
 * all of them. Returns what may go by `LEAD_MS` from now, and when, soonest first; nothing while it is somebody else's.
 */
export async function claim(
  tx: Store,
  membership: Membership,
  place: Destination,
  now: number,
): Promise<readonly { readonly at: number; readonly lanes: Lanes }[]> {
  const by = now + LEAD_MS;
  const every = await tx
    .selectFrom('channels')
    .select(['next_at', 'next_edit_at'])
    .where('id', '=', everyChannelId(place.platform))
    .executeTakeFirst();
  const [allPosts, allEdits] = [opensAt([every?.next_at], now), opensAt([every?.next_edit_at], now)];
  if (allPosts > by && allEdits > by) return [];
  const row = await tx
    .insertInto('channels')
    .values({ id: channelId(place), holder: membership.id, next_at: 0, next_edit_at: 0 })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ holder: membership.id })
        .where((eb) =>
          eb.and([
            isFree(membership, eb.ref('channels.holder')),
            eb.or([
              hasCome(eb.ref('channels.next_at'), now, by),
              hasCome(eb.ref('channels.next_edit_at'), now, by),
            ]),
          ]),
        ),
    )
    .returning(['next_at', 'next_edit_at'])
    .executeTakeFirst();
  if (!row) return [];
  const posts = opensAt([row.next_at, allPosts], now);
  const edits = opensAt([row.next_edit_at, allEdits], now);
  return [...new Set([posts, edits])]
    .filter((at) => at <= by)
    .sort((a, b) => a - b)
    .map((at) => ({ at, lanes: { posts: posts <= at, edits: edits <= at } }));
}

/** When the next message, and the next edit, may go, in epoch milliseconds, where that has changed. */
export interface Next {
  readonly postAt?: number;
  readonly editAt?: number;
  /** Also in all other channels of the platform. */
  readonly everywhere?: boolean;
}

/** Gives a channel back, with when something may go there next. */
export async function release(
  tx: Store,
  membership: Membership,
  place: Destination,
  next: Next = {},
): Promise<void> {
  const times = {
    ...(next.postAt === undefined ? {} : { next_at: next.postAt }),
    ...(next.editAt === undefined ? {} : { next_edit_at: next.editAt }),
  };
  await tx
    .updateTable('channels')
    .set({ holder: null, ...times })
    .where('id', '=', channelId(place))
    .where('holder', '=', membership.id)
    .execute();
  if (!next.everywhere) return;
  await tx
    .insertInto('channels')
    .values({ id: everyChannelId(place.platform), next_at: 0, next_edit_at: 0, ...times })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        ...(next.postAt === undefined ? {} : { next_at: later(eb.ref('channels.next_at'), next.postAt) }),
        ...(next.editAt === undefined
          ? {}
          : { next_edit_at: later(eb.ref('channels.next_edit_at'), next.editAt) }),
      })),
    )
    .execute();
}

/** The later of both: one channel is asked to wait for longer than another. What a clock wrote that was ahead is none. */
function later(stored: Expression<number>, time: number) {
  return sql<number>`case when ${stored} > ${time} and ${stored} <= ${latest(time)} then ${stored} else ${time} end`;
}
