import { isIP } from 'node:net';
import { z } from 'zod';
import type { CatalogApplication, CatalogVersion } from './catalog.ts';
import type { Settings } from './options.ts';
import { RouteRefusal } from './refusal.ts';
import type { Order } from './world.ts';

const Webhook = z.object({ url: z.url({ protocol: /^https?$/ }) });

const User = z.discriminatedUnion('user_type', [
  z.object({
    user_type: z.literal('ip_address'),
    user_data: z.object({ ip_address: z.string().refine((text) => isIP(text) !== 0, 'is no IP address') }),
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

const HostIds = z
  .array(z.string())
  .min(1)
  .refine((ids) => new Set(ids).size === ids.length, 'has an id twice');

const DeployBody = z.object({
  application: z.string(),
  version: z.string(),
  users: z.array(User).min(1),
  environment_variables: z.array(Variable).default([]),
  tags: z.array(z.string().min(1)).default([]),
  require_cached_locations: z.boolean().nullish(),
  resources: Resources.optional(),
  webhook_on_ready: Webhook.optional(),
  webhook_on_error: Webhook.optional(),
  webhook_on_terminated: Webhook.optional(),
});

export type ReadOrder = Omit<Order, 'imagePulled'>;

/** Reads the body of a deploy; an invalid body is answered 400, and no deployment is made. */
export function readOrder(body: unknown, settings: Settings): ReadOrder {
  const order = read(DeployBody, body);
  checkTags(order.tags, settings);
  const version = findVersion(settings, order.application, order.version);
  const { cpu_units, memory_mib } = order.resources ?? {};
  return {
    application: order.application,
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

/** The hosts that a deploy to a private fleet prefers, best first. */
export function readHosts(body: unknown): readonly string[] {
  return read(z.object({ private_host_ids: HostIds }), body).private_host_ids;
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const details = Object.fromEntries(
    parsed.error.issues.map((issue) => [issue.path.join('.') || 'body', issue.message]),
  );
  throw new RouteRefusal(400, 'The body of the request is not valid', { details });
}

/** The application, or a refusal with `status`: v2 answers 400 where v1 answers 404. */
export function findApplication(
  settings: Settings,
  name: string | null | undefined,
  status: number,
): CatalogApplication {
  const application = settings.catalog.applications.find((candidate) => candidate.name === name);
  if (!application) throw new RouteRefusal(status, `There is no application named ${name}`);
  return application;
}

function findVersion(settings: Settings, applicationName: string, versionName: string): CatalogVersion {
  const application = findApplication(settings, applicationName, 400);
  if (!application.is_active) throw new RouteRefusal(400, `The application ${applicationName} is not active`);
  const version = application.versions.find((candidate) => candidate.name === versionName);
  if (!version) throw new RouteRefusal(400, `${applicationName} has no version named ${versionName}`);
  if (!version.is_active) throw new RouteRefusal(400, `The version ${versionName} is not active`);
  return version;
}

/** Refuses a tag that is longer than `maxTagLength`. */
export function checkTags(tags: readonly string[], settings: Settings): void {
  const long = tags.find((tag) => [...tag].length > settings.maxTagLength);
  if (long === undefined) return;
  throw new RouteRefusal(400, `A tag may have at most ${settings.maxTagLength} characters`);
}
