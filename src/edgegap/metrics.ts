import { z } from 'zod';
import { parseEdgegapTime } from './schema.ts';

/** One measurement: epoch milliseconds and the value. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** The distances between measurements that Edgegap offers. */
export const METRICS_STEPS = ['30s', '1m', '5m', '10m', '1h'] as const;
export type MetricsStep = (typeof METRICS_STEPS)[number];

export interface MetricsRequest {
  /** Epoch milliseconds. Without `from` Edgegap takes the deployment's start, and without `to` the present. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly step?: MetricsStep | undefined;
  /** The measured values, not averaged over the step. */
  readonly raw?: boolean | undefined;
}

/** Values of another type, and unreadable times, are left out: the chart then shows a gap. */
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
 * `GET /v1/metrics/deployment/{id}`. The vendor documents no units. The bot assumes the units of the version's
 * limits: `cpu` in units (1024 are one vCPU) and `mem` in MB; `network` in bytes a second and `total` in bytes.
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
/** Each series begins with the oldest value; a series without measurements is empty. */
export type Metrics = z.infer<typeof MetricsAnswer>;

/** The query of a metrics request; times in the API's own form, UTC without a zone. */
export function metricsQuery({ from, to, step, raw }: MetricsRequest): Record<string, string | undefined> {
  return { start_time: asTime(from), end_time: asTime(to), steps: step, raw: raw ? 'true' : undefined };
}

function asTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
