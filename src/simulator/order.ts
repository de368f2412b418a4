import { isIP } from 'node:net';
import { z } from 'zod';
import type { CatalogApplication, CatalogVersion } from './catalog.ts';
import type { Settings } from './options.ts';
import { RouteRefusal } from './refusal.ts';
import type { Order } from './world.ts';

const Webhook = z.object({ url: z.url({ protocol: /^https?$/ }) });

const Address = z.string().refine((text) => isIP(text) !== 0, 'is no IP address');

const User = z.discriminatedUnion('user_type', [
  z.object({
    user_type: z.literal('ip_address'),
    user_data: z.object({ ip_address: Address }),
  }),
  z.object({
    user_type: z.literal('geo_coordinates'),
    user_data: z.object({
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
    }),
  }),
]);

const Resources = z
  .object({ cpu_units: z.int().min(100), memory_mib: z.int().min(100) })
  .refine(
    ({ cpu_units, memory_mib }) => memory_mib <= 2 * cpu_units,
    'memory_mib is more than twice cpu_units',
  );

const Variable = z.object({
  key: z.string().min(1),
  value: z.string().refine((text) => Buffer.byteLength(text) <= 4096, 'is over 4 KB'),
  is_hidden: z.boolean(),
});

const Tags = z.array(z.string().min(1)).default([]);

const HostIds = z
  .array(z.string())
  .min(1)
  .refine((ids) => new Set(ids).size === ids.length, 'has an id twice');

const DeployBody = z.object({
  application: z.string(),
  version: z.string(),
  users: z.array(User).min(1),
  environment_variables: z.array(Variable).default([]),
  tags: Tags,
  require_cached_locations: z.boolean().nullish(),
  resources: Resources.optional(),
  webhook_on_ready: Webhook.optional(),
  webhook_on_error: Webhook.optional(),
  webhook_on_terminated: Webhook.optional(),
});

/**
 * The body of a deploy in v1. Only the players' addresses are simulated. Other fields about the location have no
 * effect.
 */
const LegacyDeployBody = z.object({
  app_name: z.string(),
  version_name: z.string().optional(),
  ip_list: z.array(Address).min(1),
  env_vars: z.array(Variable.extend({ is_hidden: z.boolean().default(false) })).default([]),
  tags: Tags,
  webhook_url: Webhook.shape.url.optional(),
  command: z.string().nullish(),
  arguments: z.string().nullish(),
  container_log_storage: z.object({ enabled: z.boolean(), endpoint_storage: z.string() }).optional(),
});

export type ReadOrder = Omit<Order, 'imagePulled'>;

/** Reads the body of a deploy. If the body is invalid, the answer is 400, and no deployment is created. */
export function readOrder(body: unknown, settings: Settings): ReadOrder {
  const order = read(DeployBody, body);
  checkTags(order.tags, settings);
  const application = findApplication(settings, order.application, 400);
  const version = findVersion(application, order.version, 400);
  const { cpu_units, memory_mib } = order.resources ?? {};
  return {
    application: application.name,
    version,
    uses: { cpu: cpu_units ?? version.req_cpu, memory: memory_mib ?? version.req_memory },
    players: order.users.map((user) => user.user_data),
    tags: order.tags,
    environment: order.environment_variables,
    webhooks: {
      ready: order.webhook_on_ready?.url,
      error: order.webhook_on_error?.url,
      terminated: order.webhook_on_terminated?.url,
    },
  };
}

/** Works like `readOrder`, but for v1. If the application or the version is unknown, the answer is 404. */
export function readLegacyOrder(body: unknown, settings: Settings): ReadOrder {
  // The errors of v1 have no field for details.
  const order = read(LegacyDeployBody, body, () => ({}));
  checkTags(order.tags, settings);
  const application = findApplication(settings, order.app_name, 404);
  const version = findVersion(application, order.version_name, 404);
  const { command, arguments: args, container_log_storage: storage } = order;
  return {
    application: application.name,
    version,
    uses: { cpu: version.req_cpu, memory: version.req_memory },
    players: order.ip_list.map((ip_address) => ({ ip_address })),
    tags: order.tags,
    environment: order.env_vars,
    webhooks: { ready: order.webhook_url },
    extras: { command, arguments: args },
    logStorage: storage?.enabled ? storage.endpoint_storage : undefined,
  };
}

/** Returns the preferred hosts of a deploy to a private fleet, best host first. */
export function readHosts(body: unknown): readonly string[] {
  return read(z.object({ private_host_ids: HostIds }), body).private_host_ids;
}

function read<T>(schema: z.ZodType<T>, body: unknown, extra = (details: object): object => ({ details })): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const details = Object.fromEntries(
    parsed.error.issues.map((issue) => [issue.path.join('.') || 'body', issue.message]),
  );
  throw new RouteRefusal(400, 'The body of the request is not valid', extra(details));
}

/**
 * Finds the application, or refuses the request with `status`. If the application is unknown, v2 answers 400, and v1
 * answers 404.
 */
export function findApplication(
  settings: Settings,
  name: string | null | undefined,
  status: number,
): CatalogApplication {
  const application = settings.catalog.applications.find((candidate) => candidate.name === name);
  if (!application) throw new RouteRefusal(status, `There is no application named ${name}`);
  return application;
}

/**
 * Finds the version with this name, or the newest version if the request contains no name. In the catalogue, the oldest
 * version comes first.
 */
function findVersion(
  { name: application, is_active, versions }: CatalogApplication,
  name: string | undefined,
  status: number,
): CatalogVersion {
  if (!is_active) throw new RouteRefusal(400, `The application ${application} is not active`);
  const version =
    name === undefined ? versions.at(-1) : versions.find((candidate) => candidate.name === name);
  if (!version) throw new RouteRefusal(status, `${application} has no version named ${name}`);
  if (!version.is_active) throw new RouteRefusal(400, `The version ${version.name} is not active`);
  return version;
}

/** Refuses a tag that is longer than `maxTagLength`. */
export function checkTags(tags: readonly string[], settings: Settings): void {
  const long = tags.find((tag) => [...tag].length > settings.maxTagLength);
  if (long === undefined) return;
  throw new RouteRefusal(400, `A tag may have at most ${settings.maxTagLength} characters`);
}
