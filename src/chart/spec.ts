/**
 * Charts of numbers over time, before they are drawn. They are plain data, so that they can be sent to a worker thread.
 */

/**
 * A measurement: the time in epoch milliseconds, and the value in the panel's unit. If the value is null, the line has
 * a break.
 */
export type Point = readonly [at: number, value: number | null];

export interface Series {
  readonly label: string;
  /** Oldest first. */
  readonly points: readonly Point[];
}

/** How values are shown: `vCPU` and `MB` are not scaled, `bytes/s` is scaled to kB or MB, and `number` has no unit. */
export type Unit = 'vCPU' | 'MB' | 'bytes' | 'bytes/s' | 'number';

/** One chart of a picture. The panels are arranged below each other and share the time axis. */
export interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** At most three series, because some screens cannot show a fourth colour that people can distinguish. */
  readonly series: readonly Series[];
  /** A horizontal line, for example at the limit of the version. */
  readonly limit?: { readonly label: string; readonly value: number } | undefined;
}

/** A period without measurements, in epoch milliseconds. */
export type Gap = readonly [from: number, to: number];

export interface ChartSpec {
  /** The window of the time axis, in epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly panels: readonly Panel[];
  /** Periods that are shaded in every panel. */
  readonly gaps: readonly Gap[];
}

/**
 * The largest value that the axis of a panel must show. A limit far above all values is ignored, because the curves
 * would then be flat at the bottom.
 */
export function topOf({ series, limit }: Panel): number {
  const largest = Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value ?? 0)));
  return limit && limit.value <= largest * 4 ? Math.max(limit.value, largest) : largest;
}
