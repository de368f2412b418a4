import type { ChartSpec, Gap, Panel, Point, Series } from '../chart/spec.ts';
import type { Metrics, Sample } from '../edgegap/metrics.ts';

/** The number of CPU units in a vCPU (see Edgegap's reference of application versions). */
export const UNITS = 1_024;
/** No server has this many MB, so a larger value must be in bytes. Edgegap documents no unit. */
const MOST_MB = 10_000_000;

/** The limits of the version: CPU in vCPU, memory in MB. */
export interface Allowance {
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
}

/**
 * The known period in which the server ran, in epoch milliseconds. Outside this period, missing measurements are not
 * gaps.
 */
export interface Lifetime {
  readonly readyAt: number | undefined;
  readonly endedAt: number | undefined;
}

/** Converts the measurements to the units that people see: vCPU, MB, bytes per second. */
export function inReadUnits(metrics: Metrics): Metrics {
  const bytes = metrics.memory.some(({ value }) => value > MOST_MB);
  return {
    ...metrics,
    cpu: scaled(metrics.cpu, 1 / UNITS),
    memory: bytes ? scaled(metrics.memory, 1 / 1_000_000) : metrics.memory,
  };
}

function scaled(samples: readonly Sample[], by: number): Sample[] {
  return samples.map(({ at, value }) => ({ at, value: value * by }));
}

/**
 * Returns the periods in which the server ran without measurements. A gap begins at the last measurement before it and
 * ends at the first measurement after it.
 */
export function gapsOf(
  metrics: Metrics,
  { from, to, step }: { readonly from: number; readonly to: number; readonly step: number },
  { readyAt = from, endedAt = to }: Lifetime,
): Gap[] {
  const measured = [metrics.cpu, metrics.memory, metrics.received, metrics.sent].flat();
  const times = [...new Set(measured.map(({ at }) => at))].sort((a, b) => a - b);
  const begin = Math.max(from, readyAt);
  const end = Math.min(to, endedAt);
  if (times.length === 0) return begin < end ? [[begin, end]] : [];
  const edges = [begin, ...times, end];
  return edges.slice(1).flatMap((after, index): Gap[] => {
    const before = edges[index] ?? after;
    // A longer pause is normal at both ends. A server's first measurement comes some time after the server is ready,
    // and the last measurement may be some time ago.
    const inner = index > 0 && index < edges.length - 2;
    return after - before > step * (inner ? 1.5 : 2.5) ? [[before, after]] : [];
  });
}

/** The chart of CPU, memory and network, each in a separate panel. Panels without a measurement are left out. */
export function usageChart(
  metrics: Metrics,
  window: Pick<ChartSpec, 'from' | 'to' | 'gaps'>,
  { cpu, memory }: Allowance,
): ChartSpec {
  const line = (label: string, samples: readonly Sample[]) => series(label, samples, window.gaps);
  const panels: Panel[] = [
    {
      title: 'CPU',
      unit: 'vCPU',
      series: [line('used', metrics.cpu)],
      limit: cpu === undefined ? undefined : { label: `limit ${cpu} vCPU`, value: cpu },
    },
    {
      title: 'Memory',
      unit: 'MB',
      series: [line('used', metrics.memory)],
      limit: memory === undefined ? undefined : { label: `limit ${memory} MB`, value: memory },
    },
    {
      title: 'Network',
      unit: 'bytes/s',
      series: [line('in', metrics.received), line('out', metrics.sent)],
    },
  ];
  return {
    ...window,
    panels: panels.filter((panel) => panel.series.some(({ points }) => points.length > 0)),
  };
}

/** The chart of CPU throttling. Undefined if the CPU was never throttled. */
export function throttleChart(
  { throttleRate }: Metrics,
  window: Pick<ChartSpec, 'from' | 'to' | 'gaps'>,
): ChartSpec | undefined {
  if (!throttleRate.some(({ value }) => value > 0)) return undefined;
  const points = series('rate', throttleRate, window.gaps);
  return { ...window, panels: [{ title: 'CPU throttling', unit: 'number', series: [points] }] };
}

/** The samples of a line. The line has a break at each gap. */
function series(label: string, samples: readonly Sample[], gaps: readonly Gap[]): Series {
  const values = samples.map(({ at, value }): Point => [at, value]);
  if (values.length === 0) return { label, points: [] };
  const breaks = gaps.map(([from, to]): Point => [(from + to) / 2, null]);
  return { label, points: [...values, ...breaks].sort(([a], [b]) => a - b) };
}
