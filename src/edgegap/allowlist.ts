import { LRUCache } from 'lru-cache';
import { RefusedError } from '../errors.ts';
import type { EdgegapApi } from './client.ts';
import { EdgegapError, isNoSuchDeployment } from './errors.ts';
import type { ListFilter, ListRequest } from './requests.ts';
import type { DeploymentPage, DeploymentRow } from './schema.ts';
import type { CallOptions } from './transport.ts';

/** The maximum number of deployments whose application is cached. The application of a deployment never changes. */
const REMEMBERED = 5_000;

/**
 * Limits `api` to the applications in `allowed`. If `allowed` is undefined, all applications are allowed. Calls with a
 * request_id are also checked. The deployment's application comes from `knownApplication` (the bot's own store), or
 * from Edgegap if the store does not contain the deployment. If the application remains unknown, the call is refused. A
 * refusal is a RefusedError with the code `application-not-allowed`.
 */
export function withAllowlist(
  api: EdgegapApi,
  allowed: readonly string[] | undefined,
  knownApplication: (request_id: string) => Promise<string | undefined>,
): EdgegapApi {
  if (allowed === undefined) return api;
  const names = new Set(allowed);
  const remembered = new LRUCache<string, string>({ max: REMEMBERED });

  const check = (application: string) => {
    if (!names.has(application)) throw refused(allowed, `The application ${application}`);
  };

  async function checkDeployment(request_id: string, call: CallOptions | undefined): Promise<void> {
    let application = remembered.get(request_id) ?? (await knownApplication(request_id));
    application ??= (await api.status(request_id, call)).app_name;
    if (application !== undefined) remembered.set(request_id, application);
    checkDeploymentAllowed(allowed, application);
  }

  async function checked<T>(
    request_id: string,
    call: CallOptions | undefined,
    ask: () => Promise<T>,
  ): Promise<T> {
    await checkDeployment(request_id, call);
    return await ask();
  }

  async function deploying<T extends { request_id: string }>(
    application: string,
    deploy: () => Promise<T>,
  ): Promise<T> {
    check(application);
    try {
      const deployed = await deploy();
      remembered.set(deployed.request_id, application);
      return deployed;
    } catch (error) {
      if (error instanceof EdgegapError && error.requestId) remembered.set(error.requestId, application);
      throw error;
    }
  }

  return {
    deploy: (request, call) => deploying(request.application, () => api.deploy(request, call)),
    deployToFleet: (request, call) => deploying(request.application, () => api.deployToFleet(request, call)),
    deployLegacy: (request, call) => deploying(request.application, () => api.deployLegacy(request, call)),
    async status(request_id, call) {
      const status = await api.status(request_id, call);
      if (status.app_name !== undefined) remembered.set(request_id, status.app_name);
      checkDeploymentAllowed(allowed, status.app_name);
      return status;
    },
    stop: (id, call) => checked(id, call, () => api.stop(id, call)),
    async stopMany(ids, call) {
      const checks = await Promise.allSettled(ids.map((id) => checkDeployment(id, call)));
      const errors = checks.flatMap((check) => (check.status === 'rejected' ? [check.reason] : []));
      const fit = ids.filter((_, n) => checks[n]?.status === 'fulfilled');
      // If the allowlist forbids one of the deployments, the bot stops none of them. If the application of a deployment
      // cannot be found out, the bot leaves out this deployment and stops the others.
      const isFinal = (error: unknown) =>
        !(error instanceof EdgegapError) || (fit.length === 0 && !isNoSuchDeployment(error));
      if (errors.some(isFinal)) throw errors.find(isFinal);
      return api.stopMany(fit, call);
    },
    async deployments(request = {}, call): Promise<DeploymentPage> {
      const narrowed = narrow(request, allowed, check);
      if (!narrowed)
        return { rows: [], total_count: 0, has_next: false, page: request.page ?? 1, messages: [] };
      return api.deployments(narrowed, call);
    },
    async *allDeployments(request = {}, call): AsyncGenerator<DeploymentRow, void> {
      const narrowed = narrow(request, allowed, check);
      if (narrowed) yield* api.allDeployments(narrowed, call);
    },
    logs: (id, call) => checked(id, call, () => api.logs(id, call)),
    logBytes: (id, call) => checked(id, call, () => api.logBytes(id, call)),
    metrics: (id, request, call) => checked(id, call, () => api.metrics(id, request, call)),
    // This call is not checked, because the list of hosts contains no applications.
    hosts: (fleet, call) => api.hosts(fleet, call),
    tags: (id, call) => checked(id, call, () => api.tags(id, call)),
    tag: (id, name, call) => checked(id, call, () => api.tag(id, name, call)),
    addTag: (id, tag, call) => checked(id, call, () => api.addTag(id, tag, call)),
    renameTag: (id, from, to, call) => checked(id, call, () => api.renameTag(id, from, to, call)),
    removeTag: (id, tag, call) => checked(id, call, () => api.removeTag(id, tag, call)),
    async applications(call) {
      return (await api.applications(call)).filter(({ name }) => names.has(name));
    },
    async versions(application, call) {
      check(application);
      return api.versions(application, call);
    },
    async locations(filter, call) {
      if (filter?.application !== undefined) check(filter.application);
      return api.locations(filter, call);
    },
  };
}

/**
 * Throws a RefusedError if the application of a deployment is unknown or not allowed. The error does not name the
 * application, because a person who knows only a request_id must not learn which other games run in the account.
 */
export function checkDeploymentAllowed(
  allowed: readonly string[] | undefined,
  application: string | undefined,
): void {
  if (allowed === undefined || (application !== undefined && allowed.includes(application))) return;
  throw refused(allowed, 'The application of this server');
}

function refused(allowed: readonly string[], which: string): RefusedError {
  return new RefusedError('application-not-allowed', `${which} is not on my allowlist.`, {
    hint: allowed.length
      ? `I may use ${allowed.join(', ')}.`
      : 'Whoever runs me sets the allowlist in APP_ALLOWLIST.',
  });
}

/**
 * Returns the list request, limited to the allowed applications. Returns undefined if no row can match. The rows
 * contain no application, so Edgegap must filter by application. Edgegap allows only one filter for each field, so the
 * applications in the request and the allowed applications are combined into a single filter.
 */
function narrow<R extends ListRequest>(
  request: R,
  allowed: readonly string[],
  check: (application: string) => void,
): R | undefined {
  const others: ListFilter[] = [];
  let applications = [...allowed];
  for (const filter of request.filters ?? []) {
    if (filter.field !== 'application') {
      others.push(filter);
    } else if (filter.operator === 'eq') {
      check(filter.value);
      applications = applications.filter((application) => application === filter.value);
    } else {
      const asked = typeof filter.value === 'string' ? [filter.value] : filter.value;
      const wanted = filter.operator === 'in';
      applications = applications.filter((application) => asked.includes(application) === wanted);
    }
  }
  if (applications.length === 0) return undefined;
  return { ...request, filters: [...others, { field: 'application', operator: 'in', value: applications }] };
}
