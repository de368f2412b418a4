import { z } from 'zod';
import { parseEdgegapTime } from './schema.ts';

/** A measurement: its time in epoch milliseconds, and its value. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** The intervals between two measurements that Edgegap offers. */
export const METRICS_STEPS = ['30s', '1m', '5m', '10m', '1h'] as const;
export type MetricsStep = (typeof METRICS_STEPS)[number];

export interface MetricsRequest {
  /**
   * The period in epoch milliseconds. If `from` is absent, Edgegap begins at the start of the deployment. If `to` is
   * absent, Edgegap ends at the present.
   */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly step?: MetricsStep | undefined;
  /** Whether Edgegap returns the original values. If false, Edgegap returns the average of each step. */
  readonly raw?: boolean | undefined;
}

/**
 * Measurements whose value is not a number or whose time cannot be read are left out. They become gaps in the chart.
 */
const Series = z
  .object({ datasets: z.array(z.unknown()).catch([]), timestamps: z.array(z.unknown()).catch([]) })
  .transform(({ datasets, timestamps }): Sample[] =>
    datasets.flatMap((value, index) => {
      const at = parseEdgegapTime(String(timestamps[index] ?? ''));
      return typeof value === 'number' && Number.isFinite(value) && at !== undefined ? [{ at, value }] : [];
    }),
  )
  .catch([]);
const group = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess((value) => (typeof value === 'object' && value !== null ? value : {}), z.object(shape));

/**
 * `GET /v1/metrics/deployment/{id}`. Edgegap documents no units. The bot assumes the same units as in the version's
 * limits: `cpu` in CPU units (1024 units are one vCPU) and `mem` in MB. The bot also assumes that `network` is in bytes
 * per second and `total` in bytes.
 */
export const MetricsAnswer = z
  .object({
    cpu: Series,
    cpu_throttle_rate: Series,
    cpu_throttle_total: Series,
    mem: Series,
    network: group({ receive: Series, transmit: Series }),
    total: group({
      receive_total: Series,
      transmit_total: Series,
      disk_read_total: Series,
      disk_write_total: Series,
    }),
  })
  .transform(({ cpu, cpu_throttle_rate, cpu_throttle_total, mem, network, total }) => ({
    cpu,
    throttleRate: cpu_throttle_rate,
    throttleTotal: cpu_throttle_total,
    memory: mem,
    received: network.receive,
    sent: network.transmit,
    receivedTotal: total.receive_total,
    sentTotal: total.transmit_total,
    diskReadTotal: total.disk_read_total,
    diskWrittenTotal: total.disk_write_total,
  }));
/** In each series, the oldest value comes first. A series without measurements is empty. */
export type Metrics = z.infer<typeof MetricsAnswer>;

/** The query of a metrics request. The times have the format that the API expects: UTC without a time zone. */
export function metricsQuery({ from, to, step, raw }: MetricsRequest): Record<string, string | undefined> {
  return { start_time: asTime(from), end_time: asTime(to), steps: step, raw: raw ? 'true' : undefined };
}

function asTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
