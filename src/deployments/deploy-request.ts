import type { EdgegapApi } from '../edgegap/client.ts';
import { ownTag } from '../edgegap/outside.ts';
import type { DeployRequest } from '../edgegap/requests.ts';
import type { CallOptions } from '../edgegap/transport.ts';
import type { Vault } from '../edgegap/vault.ts';
import { AppError } from '../errors.ts';
import type { Deployment, OrderedVariable } from './deployment.ts';

/**
 * Sends the order to the endpoint of Edgegap that supports all parts of the order. Resolves with the request_id. Throws
 * EdgegapError if Edgegap refuses the order. Throws AppError before the request if the vault cannot decrypt a hidden
 * value.
 */
export async function sendDeploy(
  { edgegap: api, vault }: { readonly edgegap: EdgegapApi; readonly vault: Vault },
  { id, application, version, plan }: Deployment,
  webhooks: DeployRequest['webhooks'],
  call: CallOptions,
): Promise<string> {
  const { users, env = [], resources, cached, fleet, legacy } = plan;
  const variables = variablesOf(env, vault);
  const common = {
    application,
    version,
    tags: [...plan.tags, ownTag(id)],
    environment_variables: variables.length > 0 ? variables : undefined,
  };
  if (legacy) {
    const { logStorage, ...overrides } = legacy;
    const order = {
      ...common,
      ...overrides,
      users: users.filter((user) => 'ip_address' in user),
      container_log_storage:
        logStorage === undefined ? undefined : { enabled: true, endpoint_storage: logStorage },
      webhooks,
    };
    return (await api.deployLegacy(order, call)).request_id;
  }
  const order = { ...common, users, resources, require_cached_locations: cached, webhooks };
  if (!fleet) return (await api.deploy(order, call)).request_id;
  return (await api.deployToFleet({ ...order, private_host_ids: fleet.hosts }, call)).request_id;
}

function variablesOf(env: readonly OrderedVariable[], vault: Vault) {
  return env.flatMap(({ key, value, sealed }) => {
    if (sealed === undefined) return value === undefined ? [] : [{ key, value }];
    const opened = vault.open(sealed);
    if (opened !== undefined) return [{ key, value: opened, is_hidden: true }];
    throw new AppError('hidden-lost', `I can no longer read the value of the hidden variable ${key}.`, {
      hint: 'Nothing was deployed. My Edgegap token was replaced since the value was entered. Deploy again, and enter the hidden variables again.',
    });
  });
}
