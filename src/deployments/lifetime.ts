import { InputError } from '../errors.ts';
import { duration } from './card.ts';

/** How long a deployment may run before the bot stops it. */
export interface Lifetime {
  /** The length in milliseconds. A person can extend the lifetime by the same length. */
  readonly ms: number;
  /** The end in epoch milliseconds. Undefined until Edgegap has accepted the deploy. */
  readonly endsAt?: number | undefined;
  /** Whether the bot stopped the deployment because the lifetime had ended. */
  readonly isOver?: boolean | undefined;
  /** How many times Edgegap accepted a stop at the end of the lifetime but did not carry it out. */
  readonly unheeded?: number | undefined;
}

/** The limits of lifetimes, in milliseconds. */
export interface LifetimeLimits {
  /** The lifetime of a deploy without the option `for`. */
  readonly byDefault: number | undefined;
  /** The maximum time from the deploy to the end of the lifetime, including all extensions. */
  readonly most: number | undefined;
}

/**
 * The lifetime of a new deployment. Throws InputError if the person asks for a longer lifetime than the settings allow.
 */
export function lifetimeFor({ byDefault, most }: LifetimeLimits, wanted?: number): Lifetime | undefined {
  if (wanted !== undefined && most !== undefined && wanted > most)
    throw new InputError('lifetime-too-long', `A server may run for at most ${duration(most)}.`, {
      hint: 'Nothing was deployed. Give a shorter time with the option for. Whoever runs me can change MAX_LIFETIME.',
    });
  const ms = wanted ?? byDefault ?? most;
  return ms === undefined ? undefined : { ms };
}

/**
 * The lifetime when a deployment is deployed again. The length stays the same, or is reduced to the maximum that the
 * settings now allow.
 */
export function lifetimeAgain(
  { byDefault, most }: LifetimeLimits,
  old: Lifetime | undefined,
): Lifetime | undefined {
  const ms = Math.min(old?.ms ?? byDefault ?? most ?? 0, most ?? Number.POSITIVE_INFINITY);
  return ms > 0 ? { ms } : undefined;
}

/** The later ends that a person can choose, in epoch milliseconds. */
export interface LaterEnds {
  /** The end after one extension. Undefined if the lifetime cannot be extended. */
  readonly extended: number | undefined;
  /**
   * The latest end that a person can choose. `never` means that the server then has no lifetime. Undefined if one
   * extension already reaches this end.
   */
  readonly kept: number | 'never' | undefined;
}

/**
 * Returns the ends that a person can choose. The lifetime counts from `acceptedAt`, and `most` is the maximum lifetime.
 */
export function laterEnds(
  lifetime: Lifetime | undefined,
  acceptedAt: number | undefined,
  most: number | undefined,
): LaterEnds {
  if (lifetime?.endsAt === undefined) return { extended: undefined, kept: undefined };
  const latest = most === undefined ? Number.POSITIVE_INFINITY : (acceptedAt ?? 0) + most;
  const extended = Math.min(lifetime.endsAt + lifetime.ms, latest);
  if (most === undefined) return { extended, kept: 'never' };
  return {
    extended: extended > lifetime.endsAt ? extended : undefined,
    kept: latest > extended ? latest : undefined,
  };
}
