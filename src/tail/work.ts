import { isDeepStrictEqual } from 'node:util';
import type { Adapter } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { isNoSuchDeployment } from '../edgegap/errors.ts';
import { BACKGROUND } from '../edgegap/transport.ts';
import { AppError, RefusedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/schema.ts';
import type { TaskKind } from '../work/task.ts';
import { followCard } from './cards.ts';
import { type Follow, withLook, withProblem } from './follow.ts';
import { endFollow, FOLLOW, showFollow } from './followers.ts';
import type { Reader } from './reader.ts';
import { appendWaiting, endStream, withStream } from './stream.ts';

/**
 * The time between two readings while new lines arrive. Otherwise the time doubles with each reading, up to `QUIET_MS`.
 */
const EVERY_MS = 2_000;
const QUIET_MS = 15_000;

interface Parts {
  readonly accountOf: (id: string) => { readonly api: EdgegapApi; readonly deployments: Deployments };
  readonly reader: Reader;
  readonly store: Store;
  readonly clock: Clock;
  /** Values to mask in the log of every server. */
  readonly secrets: readonly string[];
  readonly adapters: readonly Adapter[];
  readonly log: Logger;
}

/** The task of a follower. Each run reads the log once. */
export function followingLogs({ accountOf, reader, store, clock, secrets, adapters, log }: Parts): TaskKind {
  /** Reads the log. If the log can never be read, `over` contains the reason. */
  async function looked(before: Follow, account: string, signal: AbortSignal) {
    const { request_id, mark, lines, source, invert } = before;
    const { api } = accountOf(account);
    try {
      const job = { before: mark, lines, source, invert, secrets };
      return { follow: withLook(before, await reader.look({ account, api, request_id, signal }, job)) };
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      log.info({ deployment: request_id, code: error.code }, 'tail: a log could not be read');
      return { follow: withProblem(before, error.userMessage), over: final(error) };
    }
  }

  /** Returns the reason why the follower ends now. Undefined if the follower continues. */
  async function reasonToEnd(follow: Follow, account: string): Promise<string | undefined> {
    if (follow.stoppedBy !== undefined) return `${follow.stoppedBy} stopped the following.`;
    if (clock.now() >= follow.until) return 'The time is over.';
    const status = await statusOf(follow, accountOf(account));
    if (status === 'TERMINATED') return 'The server has ended.';
    return status === 'ERROR' ? 'The server has failed.' : undefined;
  }

  return {
    kind: FOLLOW,
    async run({ key, account, payload, signal }) {
      const before = payload as Follow;
      const streaming = { adapters, store, log };
      // The end is decided before the last reading, because a deployment may print lines until it ends.
      const reason = await reasonToEnd(before, account);
      const { follow: seen, over } = await looked(withStream(before, streaming), account, signal);
      const follow = await appendWaiting(streaming, key, seen, signal);
      const end = reason ?? over;
      if (end !== undefined) {
        await endStream(streaming, follow);
        await endFollow({ store, clock }, key, follow, end);
        return undefined;
      }
      if (!isDeepStrictEqual(followCard(follow), followCard(before))) await showFollow(store, clock, follow);
      return { inMs: pause(follow, clock.now()), payload: follow };
    },
  };
}

/**
 * The time until the next reading. All followers of a log read at the same moments, so that they share Edgegap's
 * answers. The last reading comes when the follower's time ends.
 */
function pause({ quiet, until }: Follow, now: number): number {
  const every = Math.min(EVERY_MS * 2 ** quiet, QUIET_MS);
  return Math.max(0, Math.min(every - (now % every), until - now));
}

/**
 * Returns the status of the deployment. The bot asks Edgegap only about a deployment that was not deployed from chat,
 * and only if the last reading found no new lines.
 */
async function statusOf(
  { request_id, quiet }: Follow,
  { api, deployments }: ReturnType<Parts['accountOf']>,
): Promise<string | undefined> {
  const known = await deployments.byRequestId(request_id);
  if (known) return known.endedAt === undefined ? known.status : 'TERMINATED';
  if (quiet === 0) return undefined;
  try {
    return (await api.status(request_id, BACKGROUND)).current_status;
  } catch (error) {
    if (isNoSuchDeployment(error)) return 'TERMINATED';
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Returns a reason to end if every later reading would also fail. */
function final(error: AppError): string | undefined {
  if (error instanceof RefusedError) return error.userMessage;
  if (error.code === 'edgegap-too-large')
    return 'The log is longer than 32 MiB, which is more than I can read. The Edgegap dashboard has the whole log.';
  return undefined;
}
