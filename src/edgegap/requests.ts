/** A player; Edgegap chooses a location near all players. Degrees are decimal, WGS 84. */
export type DeployUser = { ip_address: string } | { latitude: number; longitude: number };

interface EnvironmentVariable {
  key: string;
  /** Up to 4 KB. */
  value: string;
  /** Encrypted at rest and never read back; false by default. */
  is_hidden?: boolean | undefined;
}

/** `POST /v2/deployments`, in the bot's own form. */
export interface DeployRequest {
  application: string;
  version: string;
  /** At least one player. */
  users: readonly DeployUser[];
  /** At most 20 characters each. */
  tags?: readonly string[] | undefined;
  environment_variables?: readonly EnvironmentVariable[] | undefined;
  /** Only locations where the image is cached already: faster, fewer locations. */
  require_cached_locations?: boolean | undefined;
  /** Both at least 100; memory at most twice the CPU units (1024 are one vCPU). */
  resources?: { cpu_units: number; memory_mib: number } | undefined;
  /** Edgegap calls each URL once, without signature or retry, with a DeploymentStatus as body. */
  webhooks?: { ready?: string; error?: string; terminated?: string } | undefined;
}

/** `POST /v2/private-fleets/deployments`, in the bot's own form. */
export interface FleetDeployRequest extends DeployRequest {
  /** At least one id, in order of preference, each once. When no host has room, the deployment goes to the cloud. */
  private_host_ids: readonly string[];
}

/** `POST /v1/deploy`, in the bot's own form: the only deploy that can override the container's command. */
export interface LegacyDeployRequest
  extends Pick<DeployRequest, 'application' | 'tags' | 'environment_variables'> {
  /** The newest version when absent. */
  version?: string | undefined;
  /** At least one, by address: v1 takes no place without an address. */
  users: readonly Extract<DeployUser, { ip_address: string }>[];
  /** The container's own command and arguments when absent. */
  command?: string | undefined;
  arguments?: string | undefined;
  /** Whether the log is kept after the end, and in which endpoint storage. */
  container_log_storage?: { enabled: boolean; endpoint_storage: string } | undefined;
  /** v1 knows a single URL, called when the deployment is READY. */
  webhooks?: { ready?: string } | undefined;
}

export function legacyDeployBody(request: LegacyDeployRequest): Record<string, unknown> {
  const { application, version, users, environment_variables, webhooks, ...rest } = request;
  return {
    ...rest,
    app_name: application,
    version_name: version,
    ip_list: users.map(({ ip_address }) => ip_address),
    env_vars: environment_variables,
    webhook_url: webhooks?.ready,
  };
}

/** The body of both v2 deploys; JSON leaves out undefined fields. */
export function deployBody(request: DeployRequest | FleetDeployRequest): Record<string, unknown> {
  const { users, environment_variables, webhooks, ...rest } = request;
  const hook = (url: string | undefined) => (url === undefined ? undefined : { url });
  return {
    ...rest,
    users: users.map((user) => ({
      user_type: 'ip_address' in user ? 'ip_address' : 'geo_coordinates',
      user_data: user,
    })),
    environment_variables: environment_variables?.map((variable) => ({ is_hidden: false, ...variable })),
    webhook_on_ready: hook(webhooks?.ready),
    webhook_on_error: hook(webhooks?.error),
    webhook_on_terminated: hook(webhooks?.terminated),
  };
}

type FilterField =
  | 'status'
  | 'application'
  | 'version'
  | 'tags'
  | 'request_id'
  | 'created_at'
  | 'fleet_name'
  | 'host_name';

/**
 * A condition of the deployment list; a field has at most one condition. `in` and `nin` take application, version,
 * tags, request_id, fleet_name, host_name; `gte` and `lte` created_at; `ilike` (with %) fleet_name and host_name.
 */
export type ListFilter =
  | { field: FilterField; operator: 'eq' | 'neq' | 'gte' | 'lte' | 'ilike'; value: string }
  | { field: FilterField; operator: 'in' | 'nin'; value: readonly string[] };

export interface ListRequest {
  filters?: readonly ListFilter[] | undefined;
  order_by?: readonly { field: 'created_at'; order: 'asc' | 'desc' }[] | undefined;
  /** From 1. */
  page?: number | undefined;
  /** Rows a page; Edgegap's own default when absent. */
  limit?: number | undefined;
}

/** The list's `query` parameter. Only there are statuses in lower case. */
export function listQuery({ filters = [], order_by = [] }: ListRequest): string | undefined {
  if (filters.length === 0 && order_by.length === 0) return undefined;
  const lower = (filter: ListFilter): ListFilter =>
    filter.field === 'status' && typeof filter.value === 'string'
      ? ({ ...filter, value: filter.value.toLowerCase() } as ListFilter)
      : filter;
  return JSON.stringify({ filters: filters.map(lower), ...(order_by.length > 0 ? { order_by } : {}) });
}
