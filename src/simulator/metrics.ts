import { enteredAt, type SimulatedDeployment } from './deployment.ts';
import { hashNumber } from './identity.ts';
import type { Settings } from './options.ts';
import { timestamp } from './timestamp.ts';

interface Window {
  readonly from: number;
  readonly to: number;
  /** The number of milliseconds between two measurements. */
  readonly step: number;
  readonly now: number;
}

/**
 * The measurements of a simulated game server: waves of players, and slowly growing memory use. They are computed only
 * from the clock and the request_id. They begin `measuredBeforeMs` before READY and last until the end of the
 * deployment, except for the periods in `unmeasured`.
 */
export function measure(deployment: SimulatedDeployment, settings: Settings, window: Window): object {
  const { request_id, application, version, unmeasured } = deployment;
  const found = settings.catalog.applications
    .find(({ name }) => name === application)
    ?.versions.find(({ name }) => name === version);
  const { req_cpu = 512, req_memory = 1024 } = found ?? {};
  const ready = (enteredAt(deployment, 'READY') ?? Number.POSITIVE_INFINITY) - settings.measuredBeforeMs;
  const end = enteredAt(deployment, 'TERMINATED') ?? enteredAt(deployment, 'ERROR') ?? window.now;
  const times: number[] = [];
  for (let at = Math.ceil(window.from / window.step) * window.step; at <= window.to; at += window.step)
    if (at >= ready && at <= end && !unmeasured.some(({ from, to }) => at >= from && at < to)) times.push(at);

  const phase = hashNumber(request_id) % 360;
  const wave = (at: number, minutes: number) => Math.sin((at / 60_000 / minutes) * 2 * Math.PI + phase);
  const series = (value: (at: number) => number) => ({
    labels: times.map((at) => new Date(at).toISOString().slice(11, 19)),
    datasets: times.map((at) => Math.round(value(at))),
    timestamps: times.map((at) => timestamp(at).slice(0, 23)),
  });
  const sinceReady = (at: number) => (at - ready) / 1_000;
  return {
    cpu: series((at) => req_cpu * (0.45 + 0.3 * wave(at, 45) + 0.05 * wave(at, 7))),
    cpu_throttle_rate: series((at) => Math.max(0, 12 * wave(at, 45) - 8)),
    cpu_throttle_total: series((at) => sinceReady(at) / 100),
    mem: series((at) => req_memory * Math.min(0.95, 0.4 + sinceReady(at) / 40_000 + 0.03 * wave(at, 45))),
    network: {
      receive: series((at) => 90_000 + 60_000 * wave(at, 45)),
      transmit: series((at) => 420_000 + 260_000 * wave(at, 45)),
    },
    total: {
      receive_total: series((at) => sinceReady(at) * 90_000),
      transmit_total: series((at) => sinceReady(at) * 420_000),
      disk_read_total: series((at) => 45_000_000 + sinceReady(at) * 200),
      disk_write_total: series((at) => sinceReady(at) * 1_500),
    },
  };
}
