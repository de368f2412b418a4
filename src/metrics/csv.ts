import type { Metrics, Sample } from '../edgegap/metrics.ts';

const COLUMNS = {
  cpu_units: 'cpu',
  cpu_throttle_rate: 'throttleRate',
  cpu_throttle_total: 'throttleTotal',
  memory: 'memory',
  network_receive: 'received',
  network_transmit: 'sent',
  receive_total: 'receivedTotal',
  transmit_total: 'sentTotal',
  disk_read_total: 'diskReadTotal',
  disk_write_total: 'diskWrittenTotal',
} as const satisfies Readonly<Record<string, keyof Metrics>>;

/**
 * Returns the values in Edgegap's units. Each time (ISO 8601, UTC) has one line, and a cell without a measurement is
 * empty.
 */
export function csv(metrics: Metrics): string {
  const byTime = Object.values(COLUMNS).map((key) => {
    const samples: readonly Sample[] = metrics[key];
    return new Map(samples.map(({ at, value }) => [at, value]));
  });
  const times = [...new Set(byTime.flatMap((values) => [...values.keys()]))].sort((a, b) => a - b);
  const rows = times.map((at) => [
    new Date(at).toISOString(),
    ...byTime.map((values) => values.get(at) ?? ''),
  ]);
  return `${[['time', ...Object.keys(COLUMNS)], ...rows].map((row) => row.join(',')).join('\n')}\n`;
}
