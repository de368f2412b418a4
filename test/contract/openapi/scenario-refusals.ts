import { accessPoint, selfStopToken } from '../../../src/simulator/identity.ts';
import { type Run, type Stage, startStage } from './stage.ts';

const ORDER = {
  application: 'kart-racing',
  version: 'v1.2',
  users: [{ user_type: 'geo_coordinates', user_data: { latitude: 45.5, longitude: -73.6 } }],
};

const FLEET = '/v2/private-fleets/deployments';
const FLEET_ORDER = { ...ORDER, private_host_ids: ['tournament-montreal-0'] };

const LEGACY = '/v1/deploy';
const LEGACY_ORDER = { app_name: 'kart-racing', ip_list: ['203.0.113.7'] };

interface Sample {
  readonly endpoint: 'deploy' | 'status' | 'stop' | 'list' | 'logs' | 'other' | 'tag';
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly authorization?: string;
}

/** One valid request for each endpoint. */
function samples(id: string): Sample[] {
  const tags = `/v1/deployments/${id}/tags`;
  return [
    { endpoint: 'deploy', method: 'POST', path: '/v2/deployments', body: ORDER },
    { endpoint: 'deploy', method: 'POST', path: FLEET, body: FLEET_ORDER },
    { endpoint: 'deploy', method: 'POST', path: LEGACY, body: LEGACY_ORDER },
    { endpoint: 'status', method: 'GET', path: `/v1/status/${id}` },
    { endpoint: 'stop', method: 'DELETE', path: `/v1/stop/${id}` },
    { endpoint: 'stop', method: 'POST', path: '/v1/deployments/bulk-stop', body: { filters: [] } },
    {
      endpoint: 'stop',
      method: 'DELETE',
      path: `/v1/self/stop/${id}/${accessPoint(id)}`,
      authorization: selfStopToken(id),
    },
    { endpoint: 'list', method: 'GET', path: '/v1/deployments' },
    { endpoint: 'logs', method: 'GET', path: `/v1/deployment/${id}/container-logs` },
    { endpoint: 'other', method: 'GET', path: `/v1/metrics/deployment/${id}` },
    { endpoint: 'other', method: 'GET', path: '/v2/private-fleets/tournament/hosts' },
    { endpoint: 'other', method: 'GET', path: '/v1/locations' },
    { endpoint: 'other', method: 'GET', path: '/v1/apps' },
    { endpoint: 'other', method: 'GET', path: '/v1/app/kart-racing/versions' },
    { endpoint: 'tag', method: 'GET', path: tags },
    { endpoint: 'tag', method: 'POST', path: tags, body: { name: 'new' } },
    { endpoint: 'tag', method: 'GET', path: `${tags}/qa` },
    { endpoint: 'tag', method: 'PATCH', path: `${tags}/qa`, body: { name: 'new' } },
    { endpoint: 'tag', method: 'DELETE', path: `${tags}/qa` },
  ];
}

/** Causes every answer that is not a success, with requests that the bot's client would not send. */
export async function driveRefusals(run: Run): Promise<void> {
  const stage = await startStage(run);
  const id = await ready(stage);
  for (const sample of samples(id)) {
    await stage.raw('no token', 401, { ...sample, authorization: null });
    stage.simulator.faults.next({}, { kind: 'server-error', when: 'before' });
    await stage.raw('their fault', 500, sample);
  }
  for (const sample of samples('nobody').filter(({ path }) => path.includes('nobody'))) {
    await stage.raw('unknown request_id, as the live API', 400, sample);
  }
  await badRequests(stage, id);
  await outside(run, stage, id);
  await stage.close();

  const file = await startStage(run, { unknownIdStatus: 404 });
  for (const sample of samples('nobody').filter(({ path }) => path.includes('nobody'))) {
    await file.raw('unknown request_id, as the files', 404, sample);
  }
  await file.close();
}

async function badRequests({ raw, simulator, clock }: Stage, id: string): Promise<void> {
  for (const [path, good] of [
    ['/v2/deployments', ORDER],
    [FLEET, FLEET_ORDER],
  ] as const) {
    const deploy = { method: 'POST', path };
    await raw('no users', 400, { ...deploy, body: { ...good, users: [] } });
    await raw('no JSON', 400, { ...deploy, body: '{' });
    for (const resources of [
      { cpu_units: 99, memory_mib: 100 },
      { cpu_units: 512, memory_mib: 1025 },
    ])
      await raw('resources out of range', 400, { ...deploy, body: { ...good, resources } });
    const environment_variables = [{ key: 'BIG', value: 'x'.repeat(5_000), is_hidden: false }];
    await raw('a value of 5 KB', 400, { ...deploy, body: { ...good, environment_variables } });
    await raw('unknown application', 400, { ...deploy, body: { ...good, application: 'nothing' } });
    const body = { ...good, application: 'trouble', version: 'no-capacity' };
    await raw('no room', 422, { ...deploy, body });
  }
  const legacy = { method: 'POST', path: LEGACY };
  await raw('no addresses', 400, { ...legacy, body: { app_name: 'kart-racing' } });
  await raw('unknown application', 404, { ...legacy, body: { ...LEGACY_ORDER, app_name: 'nothing' } });
  const body = { ...LEGACY_ORDER, app_name: 'trouble', version_name: 'no-capacity' };
  await raw('no room', 422, { ...legacy, body });
  simulator.faults.next({}, { kind: 'server-error', when: 'before', status: 409 });
  await raw('a conflict', 409, { ...legacy, body: LEGACY_ORDER });
  await raw('no hosts', 400, { method: 'POST', path: FLEET, body: ORDER });

  for (const path of ['/v1/apps', '/v1/app/kart-racing/versions', '/v1/locations', '/v1/deployments']) {
    await raw('page 0', 400, { method: 'GET', path: `${path}?page=0` });
  }
  await raw('a query that is none', 400, { method: 'GET', path: '/v1/deployments?query=%7B' });
  await raw('unknown fleet', 400, { method: 'GET', path: '/v2/private-fleets/nothing/hosts' });
  await raw('no filters', 400, { method: 'POST', path: '/v1/deployments/bulk-stop', body: { filters: [] } });
  await raw('unknown step', 400, { method: 'GET', path: `/v1/metrics/deployment/${id}?steps=2m` });
  const reversed = 'start_time=2026-03-04%2000:00:00.0&end_time=2026-03-03%2000:00:00.0';
  await raw('a window that ends first', 422, {
    method: 'GET',
    path: `/v1/metrics/deployment/${id}?${reversed}`,
  });
  await raw('unknown application', 404, { method: 'GET', path: '/v1/app/nothing/versions' });

  const tags = `/v1/deployments/${id}/tags`;
  await raw('one tag', 200, { method: 'GET', path: `${tags}/qa` });
  await raw('a tag twice', 409, { method: 'POST', path: tags, body: { name: 'qa' } });
  await raw('a tag twice', 409, { method: 'PATCH', path: `${tags}/night`, body: { name: 'qa' } });
  await raw('no name', 400, { method: 'POST', path: tags, body: {} });
  await raw('unknown tag', 404, { method: 'DELETE', path: `${tags}/nothing` });

  const gone = [...simulator.deployments.values()].at(-1)?.request_id ?? '';
  simulator.terminate(gone);
  await clock.advance(1000);
  await raw('stopped already', 410, { method: 'DELETE', path: `/v1/stop/${gone}` });
  await raw('log gone', 404, { method: 'GET', path: `/v1/deployment/${gone}/container-logs` });
}

/** Checks the statuses that are known from the live API and the API reference, but are not declared in the files. */
async function outside(run: Run, { raw, undeclared, simulator }: Stage, id: string): Promise<void> {
  for (const sample of samples(id)) {
    simulator.faults.next({}, { kind: 'too-many-requests', retryAfter: 1 });
    await undeclared('too fast', 'no file declares 429; it comes with Retry-After', 429, sample);
  }
  const authorization = `token ${simulator.deletedToken}`;
  for (const sample of samples(id)) {
    const operation = run.contract.find(sample.method, sample.path);
    const deleted = { ...sample, authorization };
    if (operation && run.contract.statuses(operation).includes(403)) await raw('deleted token', 403, deleted);
    else await undeclared('deleted token', 'declared for some operations only', 403, deleted);
  }
  await undeclared('no such path', 'the files cannot declare it', 404, {
    method: 'GET',
    path: '/v1/nothing',
  });

  const long = { method: 'POST', path: `/v1/deployments/${id}/tags`, body: { name: 'x'.repeat(21) } };
  await raw('a tag of 21 characters', 400, long);
  run.report.outside(
    'response',
    'a tag of 21 to 40 characters is refused',
    'the reference says at most 20, the files 40; a setting of the stand-in raises it',
  );
  run.report.outside(
    'response',
    'an unknown request_id is answered 400',
    'as the live API does; both 400 and 404 are declared, and 404 is a setting of the stand-in',
  );
}

async function ready({ clock, simulator, raw }: Stage): Promise<string> {
  await raw('deploy', 202, {
    method: 'POST',
    path: '/v2/deployments',
    body: { ...ORDER, tags: ['qa', 'night'] },
  });
  await clock.advance(20_000);
  return [...simulator.deployments.keys()][0] ?? '';
}
