/** Pictures of numbers over time, before they are drawn. Plain data: a drawing goes to a worker thread. */

/** One measurement: epoch milliseconds, and the value in the panel's unit; null where nothing was measured. */
export type Point = readonly [at: number, value: number | null];

export interface Series {
  readonly label: string;
  /** Oldest first. A null ends the line: what was not measured is not drawn. */
  readonly points: readonly Point[];
}

export type Unit = 'percent' | 'MB' | 'bytes' | 'count';

/** One chart of a picture; the panels stand below each other and share the time axis. */
export interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** At most three: a fourth colour could not be told apart on every screen. */
  readonly series: readonly Series[];
  /** A horizontal line, for example at what the version may use. */
  readonly limit?: { readonly label: string; readonly value: number };
}

export interface ChartSpec {
  /** The window of the time axis, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly panels: readonly Panel[];
}
