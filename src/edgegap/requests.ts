/**
 * The position of a player, by address or by coordinates (decimal degrees, WGS 84). Edgegap chooses a location near all
 * players.
 */
export type DeployUser = { ip_address: string } | { latitude: number; longitude: number };

interface EnvironmentVariable {
  key: string;
  /** At most 4 KB. */
  value: string;
  /** Whether Edgegap encrypts the value and never shows it again. False by default. */
  is_hidden?: boolean | undefined;
}

/** The request `POST /v2/deployments`, in the bot's own format. */
export interface DeployRequest {
  application: string;
  version: string;
  /** Must contain at least one player. */
  users: readonly DeployUser[];
  /** Each tag has at most 20 characters. */
  tags?: readonly string[] | undefined;
  environment_variables?: readonly EnvironmentVariable[] | undefined;
  /**
   * Whether to use only locations whose cache already contains the image. The deployment then starts faster, but fewer
   * locations are available.
   */
  require_cached_locations?: boolean | undefined;
  /**
   * Both numbers must be at least 100. The memory must be at most twice the number of CPU units (1024 units are one
   * vCPU).
   */
  resources?: { cpu_units: number; memory_mib: number } | undefined;
  /**
   * Edgegap calls each of these URLs once, with a DeploymentStatus as the body. Edgegap does not sign or repeat the
   * calls.
   */
  webhooks?: { ready?: string; error?: string; terminated?: string } | undefined;
}

/** The request `POST /v2/private-fleets/deployments`, in the bot's own format. */
export interface FleetDeployRequest extends DeployRequest {
  /**
   * The ids of hosts in order of preference. At least one id is required, and each id may appear only once. If no host
   * has capacity, Edgegap deploys to the cloud.
   */
  private_host_ids: readonly string[];
}

/**
 * The request `POST /v1/deploy`, in the bot's own format. Only this deploy request can override the container's
 * command.
 */
export interface LegacyDeployRequest
  extends Pick<DeployRequest, 'application' | 'tags' | 'environment_variables'> {
  /** If absent, Edgegap deploys the newest version. */
  version?: string | undefined;
  /** At least one player, given by an IP address. v1 does not accept coordinates without an address. */
  users: readonly Extract<DeployUser, { ip_address: string }>[];
  /** If absent, the container uses its own command and arguments. */
  command?: string | undefined;
  arguments?: string | undefined;
  /** Whether Edgegap stores the log after the deployment has ended, and in which endpoint storage. */
  container_log_storage?: { enabled: boolean; endpoint_storage: string } | undefined;
  /** v1 accepts only one URL, which Edgegap calls when the deployment is READY. */
  webhooks?: { ready?: string } | undefined;
}

/** The body of a deploy. The name of the field with the variables differs between v2 and v1. */
export interface DeployBody extends Readonly<Record<string, unknown>> {
  readonly command?: string | undefined;
  readonly arguments?: string | undefined;
  readonly environment_variables?: DeployRequest['environment_variables'];
  readonly env_vars?: DeployRequest['environment_variables'];
}

/**
 * Returns the parts of the body that may be secret: the values of the variables, the command and the arguments. If
 * Edgegap refuses a deploy, its answer may repeat these parts.
 */
export function valuesIn(body: DeployBody): string[] {
  const { environment_variables, env_vars, command = '', arguments: given = '' } = body;
  return [...(environment_variables ?? env_vars ?? []).map(({ value }) => value), command, given];
}

export function legacyDeployBody(request: LegacyDeployRequest): DeployBody {
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

/** The body of both v2 deploys. The JSON contains no fields that are undefined. */
export function deployBody(request: DeployRequest | FleetDeployRequest): DeployBody {
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
 * A condition of the deployment list. Each field may have only one condition. `in` and `nin` are allowed for
 * application, version, tags, request_id, fleet_name and host_name. `gte` and `lte` are allowed for created_at. `ilike`
 * (with %) is allowed for fleet_name and host_name.
 */
export type ListFilter =
  | { field: FilterField; operator: 'eq' | 'neq' | 'gte' | 'lte' | 'ilike'; value: string }
  | { field: FilterField; operator: 'in' | 'nin'; value: readonly string[] };

export interface ListRequest {
  filters?: readonly ListFilter[] | undefined;
  order_by?: readonly { field: 'created_at'; order: 'asc' | 'desc' }[] | undefined;
  /** The first page has the number 1. */
  page?: number | undefined;
  /** The number of rows on a page. If absent, Edgegap uses its own default. */
  limit?: number | undefined;
}

/** The parameter `query` of the list. For this parameter, Edgegap expects statuses in lower case. */
export function listQuery({ filters = [], order_by = [] }: ListRequest): string | undefined {
  if (filters.length === 0 && order_by.length === 0) return undefined;
  const lower = (filter: ListFilter): ListFilter =>
    filter.field === 'status' && typeof filter.value === 'string'
      ? ({ ...filter, value: filter.value.toLowerCase() } as ListFilter)
      : filter;
  return JSON.stringify({ filters: filters.map(lower), ...(order_by.length > 0 ? { order_by } : {}) });
}
