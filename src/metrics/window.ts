import { duration, roughly } from '../deployments/card.ts';
import { METRICS_STEPS, type MetricsStep } from '../edgegap/metrics.ts';
import { InputError } from '../errors.ts';

const MINUTE_MS = 60_000;
const STEP_MS: Readonly<Record<MetricsStep, number>> = {
  '30s': MINUTE_MS / 2,
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '10m': 10 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
};
/**
 * With the usual step, a chart has at most this many points in each line. In a picture of 800 pixels, people could not
 * distinguish more points.
 */
const USUAL_POINTS = 180;
const MOST_POINTS = 1_500;
const SHORTEST_MS = 5 * MINUTE_MS;
/**
 * The maximum length of a window. By default, Edgegap ends a deployment after a day. For versions without a limit, a
 * month is long enough.
 */
export const LONGEST_DAYS = 31;
const LONGEST_MS = LONGEST_DAYS * 24 * 60 * MINUTE_MS;
const USUAL_MS = 60 * MINUTE_MS;
/** An end that is at most this far in the future counts as the present time. */
const SLIP_MS = 5 * MINUTE_MS;

/** A period in epoch milliseconds, and the time between its measurements. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly step: MetricsStep;
  /** Whether the request has neither `from` nor `to`, so that the window always ends at the present time. */
  readonly moves: boolean;
}

export interface WindowRequest {
  /** The length of the window, in milliseconds. Without `from` and `to`, the window ends now. */
  readonly last?: number | undefined;
  /** The start in epoch milliseconds. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly step?: MetricsStep | undefined;
}

export function stepMs(step: MetricsStep): number {
  return STEP_MS[step];
}

/** The requested window, by default the last hour. Throws InputError if the window cannot be shown. */
export function windowOf({ last, from, to, step }: WindowRequest, now: number): Window {
  if (last !== undefined && from !== undefined && to !== undefined)
    throw new InputError('window-twice', 'last does not go together with both from and to.', {
      hint: 'Give last, or from and to.',
    });
  if (from !== undefined && from >= now)
    throw new InputError('window-future', 'The window begins in the future.', {
      hint: 'Times are UTC. Give a time that has been, for example `--last 2h`.',
    });
  if (to !== undefined && to > now + SLIP_MS)
    throw new InputError('window-future', 'The window ends in the future.', {
      hint: 'Times are UTC, and a time of day means the first such time after from. Leave to out for a window that ends now.',
    });
  // An end slightly in the future is accepted, because clocks differ.
  const end = Math.min(to ?? (from !== undefined && last !== undefined ? from + last : now), now);
  const begin = from ?? end - (last ?? USUAL_MS);
  const span = end - begin;
  if (span === 0)
    throw new InputError('window-empty', 'The window is empty: it ends when it begins.', {
      hint: 'Give two different times.',
    });
  if (span < 0)
    throw new InputError('window-reversed', 'The window ends before it begins.', {
      hint: 'Times are UTC. Exchange from and to.',
    });
  if (span > LONGEST_MS)
    throw new InputError(
      'window-long',
      `A window of ${roughly(span)} is too long: the most is ${duration(LONGEST_MS)}.`,
      {
        hint: 'Give a shorter window, for example `--last 24h`.',
      },
    );
  const finest = METRICS_STEPS.find((one) => span / STEP_MS[one] <= MOST_POINTS) ?? '1h';
  if (step !== undefined && STEP_MS[step] < STEP_MS[finest])
    throw new InputError('step-fine', `A step of ${step} is too fine for a window of ${roughly(span)}.`, {
      hint: `Give a step of ${finest} or more, or a shorter window.`,
    });
  if (step !== undefined && STEP_MS[step] * 2 > span && step !== '30s')
    throw new InputError('step-coarse', `A step of ${step} is too coarse for a window of ${roughly(span)}.`, {
      hint: 'Leave the step out, or give a longer window.',
    });
  const usual = METRICS_STEPS.find((one) => span / STEP_MS[one] <= USUAL_POINTS) ?? '1h';
  return { from: begin, to: end, step: step ?? usual, moves: from === undefined && to === undefined };
}

/** The window with twice or half the length and the same end. Undefined if the new window is too long or too short. */
export function resized({ from, to, moves }: Window, factor: 2 | 0.5): WindowRequest | undefined {
  const span = (to - from) * factor;
  if (span > LONGEST_MS || span < SHORTEST_MS) return undefined;
  return moves ? { last: span } : { from: to - span, to };
}

/**
 * Encodes the window for a button: `60` means the last 60 minutes, and `1772553600-1772557200` a window in epoch
 * seconds.
 */
export function encodeWindow({ last, from = 0, to = 0 }: WindowRequest): string {
  return last === undefined
    ? `${Math.round(from / 1_000)}-${Math.round(to / 1_000)}`
    : String(Math.round(last / MINUTE_MS));
}

/** The reverse of `encodeWindow`. Any other text results in an empty request, which means the default window. */
export function decodeWindow(text: string): WindowRequest {
  const [, first, second] = /^(\d{1,11})(?:-(\d{1,11}))?$/.exec(text) ?? [];
  if (first === undefined) return {};
  if (second === undefined) return { last: Number(first) * MINUTE_MS };
  return { from: Number(first) * 1_000, to: Number(second) * 1_000 };
}
