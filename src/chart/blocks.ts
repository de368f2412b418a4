import { axisTime, inUnit } from './format.ts';
import { type ChartSpec, type Panel, topOf } from './spec.ts';

const LEVELS = ' ▁▂▃▄▅▆▇█';
const ROWS = 3;
/** Replaces a bar at a time without a measurement. */
const GAP = '·';

/** The number of columns of a chart: for a normal window, and for a narrow window or a phone. */
export const WIDE = 60;
export const NARROW = 36;

/**
 * The chart in block characters, for a screen that shows only text. Each series is drawn separately, with the maximum
 * of the scale next to the title. The last line is the time axis in UTC.
 */
export function blocks(spec: ChartSpec, columns: number): string {
  const { from, to, panels } = spec;
  const end = axisTime(to, to - from);
  const axis = `${axisTime(from, to - from)} UTC`.padEnd(columns - end.length) + end;
  const drawn = panels.flatMap((panel) =>
    panel.series.map((_, index) => drawSeries(panel, index, spec, columns)),
  );
  return [...drawn, axis].join('\n');
}

function drawSeries(panel: Panel, index: number, { from, to }: ChartSpec, columns: number): string {
  const { label = '', points = [] } = panel.series[index] ?? {};
  const top = topOf(panel) || 1;
  const bars = Array.from({ length: columns }, (): number | undefined => undefined);
  for (const [at, value] of points) {
    const column = Math.min(columns - 1, Math.floor(((at - from) / (to - from)) * columns));
    // If several values fall into one column, the highest value is shown, so that every peak remains visible.
    if (value !== null && column >= 0) bars[column] = Math.max(bars[column] ?? 0, value);
  }
  // If a column covers less time than a step, the columns between two measurements repeat the earlier value.
  const known = bars.map((bar, column) => bar ?? heldValue(bars, column, points.length));
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const line = known.map((bar) => {
      if (bar === undefined) return row === ROWS - 1 ? GAP : ' ';
      const level = Math.round((bar / top) * ROWS * 8) - (ROWS - 1 - row) * 8;
      return LEVELS[Math.max(row === ROWS - 1 ? 1 : 0, Math.min(8, level))];
    });
    return line.join('').trimEnd();
  });
  const name = panel.series.length > 1 ? `${panel.title} ${label}` : panel.title;
  return [`${name}, full height ${inUnit(top, panel.unit)}`, ...rows].join('\n');
}

function heldValue(bars: readonly (number | undefined)[], column: number, count: number): number | undefined {
  const reach = Math.ceil(bars.length / Math.max(1, count));
  return bars.slice(Math.max(0, column - reach), column).findLast((bar) => bar !== undefined);
}
