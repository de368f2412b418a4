import { type Expression, type SqlBool, sql } from 'kysely';
import { farthest } from '../clock.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import { PUT_OFF_MAX_MS } from './retry-policy.ts';

/** The target of messages: a channel, or a person who receives direct messages. */
export interface Destination {
  readonly platform: string;
  readonly workspace: string;
  readonly channel: string;
}

/**
 * A process claims the next message of a channel this many milliseconds before the rate limit allows the message. The
 * claim is then already committed at that time, so the message is sent on time even if the disk is slow.
 */
export const LEAD_MS = 250;

/**
 * Whether posts and edits may be sent. Platforms count posts and edits separately, so each of the two lanes has its own
 * rate limit.
 */
export interface Lanes {
  readonly posts: boolean;
  readonly edits: boolean;
}

export function channelId({ platform, workspace, channel }: Destination): string {
  return `${platform}/${workspace}/${channel}`;
}

/** The id of the row that can delay all channels of a platform. No channel has this id. */
export function everyChannelId(platform: string): string {
  return `${platform}/*`;
}

/** `everyChannelId` as an SQL expression. */
export function everyChannelIdOf(platform: Expression<string>) {
  return sql<string>`${platform} || '/*'`;
}

/** `channelId` as an SQL expression. */
export function channelIdOf(row: { readonly [Part in keyof Destination]: Expression<string> }) {
  return sql<string>`${row.platform} || '/' || ${row.workspace} || '/' || ${row.channel}`;
}

/**
 * The latest time to which a message may be delayed. A later time in the store was written by a process whose clock was
 * ahead.
 */
const latest = (now: number) => farthest(now, PUT_OFF_MAX_MS);

/**
 * An SQL condition: `time` is not after `by`, or is so far in the future that a wrong clock must have written it. All
 * times are in epoch milliseconds.
 */
export function hasCome(time: Expression<number>, now: number, by = now) {
  return sql<SqlBool>`(${time} <= ${by} or ${time} > ${latest(now)})`;
}

/**
 * The time at which the rate limits allow the next message: the latest of `times`, but not before `now`. Times that a
 * wrong clock wrote are ignored.
 */
export function opensAt(times: readonly (number | null | undefined)[], now: number): number {
  return times.reduce<number>(
    (at, time) => (time == null || time > latest(now) ? at : Math.max(at, time)),
    now,
  );
}

/** An SQL condition: this process may send to a channel whose holder is `holder`. */
export function isFree(membership: Membership, holder: Expression<string | null>) {
  return sql<boolean>`(${holder} = ${membership.id} or ${membership.gone(holder)})`;
}

/**
 * Claims a channel, so that only one process at a time sends to the channel and respects its rate limit. The caller
 * uses the same transaction to claim rows of the channel. Returns the times within the next `LEAD_MS` from which posts
 * or edits may be sent, soonest first. Each time comes with the lanes that may send then. Returns an empty list while
 * another process holds the channel.
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

/**
 * The earliest times of the next post and the next edit, in epoch milliseconds. If a time is absent, the stored time
 * stays unchanged.
 */
export interface Next {
  readonly postAt?: number;
  readonly editAt?: number;
  /** Whether the times apply to all channels of the platform. */
  readonly everywhere?: boolean;
}

/** Releases the claim on a channel, and stores the earliest times of the next post and the next edit. */
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

/**
 * Returns the later of two times, because an earlier request to wait may last longer than a new request. A stored time
 * that a wrong clock wrote is ignored.
 */
function later(stored: Expression<number>, time: number) {
  return sql<number>`case when ${stored} > ${time} and ${stored} <= ${latest(time)} then ${stored} else ${time} end`;
}
