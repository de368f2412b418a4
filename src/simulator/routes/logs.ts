import { phaseOf } from '../deployment.ts';
import type { Route, RouteRequest, RouteResponse } from '../exchange.ts';
import { logUntil } from '../logs.ts';
import { RouteRefusal } from '../refusal.ts';

export const logRoutes: readonly Route[] = [
  { endpoint: 'logs', method: 'GET', path: '/v1/deployment/{id}/container-logs', handle: logs },
];

/** Always returns the whole log. The log is deleted with its container, unless the stop named a storage. */
function logs({ world, params, now }: RouteRequest): RouteResponse {
  const deployment = world.find(params.id);
  const { request_id, logStorage, crash } = deployment;
  if (phaseOf(deployment) === 'TERMINATED') {
    if (!logStorage) throw new RouteRefusal(404, `The log of ${request_id} was deleted with its container`);
    return {
      status: 200,
      body: { logs_link: `https://${logStorage}.storage.example.com/${request_id}.log` },
    };
  }
  const encoding = world.settings.logEncoding;
  const encode = (text: string) => (encoding === 'base64' ? Buffer.from(text).toString('base64') : text);
  return {
    status: 200,
    body: {
      logs: encode(logUntil(deployment, now)),
      encoding,
      crash_logs: crash ? encode(crash.logs) : null,
      crash_data: crash
        ? { exit_code: crash.exit_code, message: crash.message, restart_count: crash.restart_count }
        : null,
      logs_link: null,
    },
  };
}
