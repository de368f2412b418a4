import { filtersOf } from '../../../src/deployments/list-filter.ts';
import { METRICS_STEPS } from '../../../src/edgegap/metrics.ts';
import { selfStop } from '../../../src/edgegap/self-stop.ts';
import { createLog } from '../../../src/log.ts';
import { accessPoint, selfStopToken } from '../../../src/simulator/identity.ts';
import { type Run, type Stage, startStage } from './stage.ts';

const HERE = [{ latitude: 45.5, longitude: -73.6 }];
/** No server listens at this address. The contract check tests each callback when the simulator sends it. */
const HOOK = 'http://127.0.0.1:1/callback';

/** Each phase lasts longer than the calls in it need. */
const durations = {
  initializing: 10_000,
  seeking: 10_000,
  seeked: 10_000,
  scanning: 10_000,
  deploying: 10_000,
  terminating: 10_000,
};

/** Makes every call of the bot's client in every phase of a deployment. */
export async function driveClient(run: Run): Promise<void> {
  const stage = await startStage(run, { durations });
  await catalogue(stage);
  await lifecycle(run, stage);
  await lists(stage);
  await bulkStop(stage);
  await tags(stage);
  await selfStops(stage);
  await stage.close();

  const encoded = await startStage(run, { logEncoding: 'base64' });
  const id = await deploy(encoded);
  await encoded.clock.advance(20_000);
  encoded.simulator.crash(id, { exit_code: 139, message: 'segmentation fault' });
  await encoded.client('logs, base64', () => encoded.api.logs(id));
  await encoded.close();
}

async function catalogue({ client, api }: Stage): Promise<void> {
  await client('applications', () => api.applications());
  await client('versions', () => api.versions('kart-racing'));
  await client('versions, two pages', () => api.versions('arena-shooter'));
  await client('locations', () => api.locations());
  await client('locations for a version', () =>
    api.locations({ application: 'kart-racing', version: 'v1.2' }),
  );
  await client('locations of a type, with tags', () => api.locations({ type: 'cloud', tags: true }));
  await client('hosts', () => api.hosts('tournament'));
}

async function lifecycle(run: Run, { client, api, clock, simulator }: Stage): Promise<void> {
  const deployed = await client('deploy, with everything', () => api.deploy(everything));
  const id = deployed?.request_id ?? '';
  const phase = () => simulator.deployments.get(id)?.history.at(-1)?.phase;
  for (let last = ''; last !== 'READY'; await clock.advance(50)) {
    if (phase() === last) continue;
    last = phase() ?? 'READY';
    await client(`status, ${last}`, () => api.status(id));
    await client(`logs, ${last}`, () => api.logs(id));
    await client(`metrics, ${last}`, () => api.metrics(id));
    await client(`deployments, ${last}`, () => api.deployments());
  }
  const hour = { from: clock.now() - 3_600_000, to: clock.now() };
  for (const step of METRICS_STEPS)
    await client(`metrics, raw, of an hour, ${step}`, () => api.metrics(id, { ...hour, step, raw: true }));
  await client('stop, READY', () => api.stop(id, { logStorage: 'match-logs' }));
  await client('status, TERMINATING', () => api.status(id));
  await clock.advance(10_000);
  await client('status, TERMINATED', () => api.status(id));
  await client('logs, TERMINATED and stored', () => api.logs(id));
  await client('stop, TERMINATED', () => api.stop(id));

  const refused = (await client('deploy, with the least', () => api.deploy(least)))?.request_id ?? '';
  await client('deployToFleet, with everything', () =>
    api.deployToFleet({ ...everything, private_host_ids: ['tournament-montreal-0', 'tournament-toronto-1'] }),
  );
  await client('deployToFleet, with the least', () =>
    api.deployToFleet({ ...least, private_host_ids: ['tournament-montreal-0'] }),
  );
  await client('deployLegacy, with everything', () =>
    api.deployLegacy({
      ...legacy,
      version: 'v1.2',
      tags: ['qa'],
      environment_variables: [{ key: 'MODE', value: 'race', is_hidden: true }],
      command: '/bin/server',
      arguments: '--map harbour',
      container_log_storage: { enabled: true, endpoint_storage: 'match-logs' },
      webhooks: { ready: HOOK },
    }),
  );
  await client('deployLegacy, with the least', () => api.deployLegacy(legacy));
  await client('stop, not ready yet', () => api.stop(refused));
  const failed = await deploy({ client, api }, { error: HOOK });
  await clock.advance(60_000);
  simulator.crash(failed, { exit_code: 1, message: 'out of memory' });
  await client('status, ERROR', () => api.status(failed));
  await client('logs, crashed', () => api.logs(failed));
  await client('stop, ERROR', () => api.stop(failed));
  await client('stopMany', async () => {
    const { taken } = await api.stopMany([failed, id]);
    if (taken.join() !== failed) throw new Error(`${taken} were taken`);
  });

  await clock.advance(10_000);
  const declared = run.contract.find('GET', `/v1/status/${id}`);
  for (const { event, body } of simulator.callbacks) {
    const sent = { status: 200, contentType: 'application/json', responseBody: body };
    const exchange = {
      ...sent,
      method: 'POST',
      path: '',
      query: new URLSearchParams(),
      headers: {},
      requestBody: '',
    };
    const findings = declared ? run.contract.checkResponse(declared, exchange) : ['status is not declared'];
    run.report.check('callback', `${event}: the same body as status`, findings);
  }
}

async function lists({ client, api }: Stage): Promise<void> {
  for (let i = 0; i < 12; i++) await deploy({ client, api });
  await client('deployments, filtered and ordered', () =>
    api.deployments({
      filters: [
        { field: 'application', operator: 'eq', value: 'kart-racing' },
        { field: 'version', operator: 'in', value: ['v1.2', 'v1.3'] },
        { field: 'status', operator: 'neq', value: 'ERROR' },
        { field: 'created_at', operator: 'gte', value: '2026-01-01 00:00:00.000000' },
      ],
      order_by: [{ field: 'created_at', order: 'desc' }],
      page: 2,
      limit: 5,
    }),
  );
  await client('deployments, by all other filters', () =>
    api.deployments({
      filters: [
        { field: 'request_id', operator: 'in', value: ['93924761ccde'] },
        { field: 'tags', operator: 'eq', value: 'qa' },
        { field: 'created_at', operator: 'lte', value: '2026-12-01 00:00:00.000000' },
        { field: 'fleet_name', operator: 'ilike', value: 'tourn%' },
        { field: 'host_name', operator: 'eq', value: 'alpha' },
      ],
    }),
  );
  await client('deployments, every page', async () => {
    const ids = new Set<string>();
    for await (const row of api.allDeployments()) ids.add(row.request_id);
    if (ids.size < 12) throw new Error(`Only ${ids.size} rows came`);
  });
}

/** Makes the calls that a plan of `bulk-stop` makes. */
async function bulkStop({ client, api, clock }: Stage): Promise<void> {
  const deployed = await client('deploy', () => api.deploy({ ...least, tags: ['bulk'] }));
  await clock.advance(60_000);
  await client(
    'a bulk stop: the list of the plan, the list again before a batch, the stop, the status',
    async () => {
      const wanted = { application: 'kart-racing', version: ['v1.2', 'v1.3'], tag: 'bulk', olderThan: 1 };
      const order_by = [{ field: 'created_at', order: 'desc' }] as const;
      const found: string[] = [];
      for await (const row of api.allDeployments({
        filters: filtersOf(wanted, clock.now()),
        order_by,
        limit: 50,
      }))
        found.push(row.request_id);
      if (found.join() !== deployed?.request_id) throw new Error(`${found} were found`);
      const again = { filters: filtersOf(wanted, clock.now(), found), limit: 50 };
      for await (const row of api.allDeployments(again))
        if (!row.ready) throw new Error('The row is not ready');
      const { taken } = await api.stopMany(found);
      if (taken.join() !== deployed?.request_id) throw new Error(`${taken} were taken`);
      await api.status(taken.join());
    },
  );
}

async function tags({ client, api }: Stage): Promise<void> {
  const id = await deploy({ client, api });
  await client('addTag', () => api.addTag(id, 'a tag/ü'));
  await client('tags', () => api.tags(id));
  await client('tag', () => api.tag(id, 'a tag/ü'));
  await client('renameTag', () => api.renameTag(id, 'a tag/ü', 'x'.repeat(20)));
  await client('removeTag', () => api.removeTag(id, 'x'.repeat(20)));
}

async function selfStops({ client, api, clock, url }: Stage): Promise<void> {
  const log = createLog({ level: 'silent', secrets: [] });
  const id = await deploy({ client, api });
  const inside = {
    url: `${url}/v1/self/stop/${id}/${accessPoint(id)}`,
    token: selfStopToken(id),
    clock,
    log,
  };
  await client('selfStop, not ready yet', () => selfStop(inside));
  const other = await deploy({ client, api });
  await clock.advance(60_000);
  const ready = {
    ...inside,
    url: `${url}/v1/self/stop/${other}/${accessPoint(other)}`,
    token: selfStopToken(other),
  };
  await client('selfStop, READY', () => selfStop({ ...ready, logStorage: 'match-logs' }));
}

const legacy = { application: 'kart-racing', users: [{ ip_address: '203.0.113.7' }] };
const everything = {
  application: 'kart-racing',
  version: 'v1.2',
  users: [...HERE, { ip_address: '203.0.113.7' }],
  tags: ['qa', 'night'],
  environment_variables: [{ key: 'MODE', value: 'race' }],
  require_cached_locations: true,
  resources: { cpu_units: 512, memory_mib: 1024 },
  webhooks: { ready: HOOK, error: HOOK, terminated: HOOK },
};
const least = { application: 'kart-racing', version: 'v1.2', users: HERE };

async function deploy(
  { client, api }: Pick<Stage, 'client' | 'api'>,
  webhooks?: { error?: string },
): Promise<string> {
  const answer = await client('deploy', () => api.deploy({ ...least, webhooks }));
  return answer?.request_id ?? '';
}
