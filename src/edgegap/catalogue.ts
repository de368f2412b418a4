/* Edgegap's answers about applications, versions and locations, and about the hosts of fleets. */
import { z } from 'zod';
import { flag, Location, list, number, Tags, text } from './schema.ts';

/**
 * If `is_active` is false, no version of the application can be deployed. The picture of the application (the field
 * `image`) is left out, because it is large.
 */
export const Application = z.object({
  name: z.string().min(1),
  is_active: z.boolean().catch(true),
  create_time: text,
  last_updated: text,
});
export type Application = z.infer<typeof Application>;

export const ApplicationList = list('applications', Application);

/**
 * If `is_active` is false, the version cannot be deployed. `caching_percent` ranges from 0 to 1. `req_cpu` is in CPU
 * units (1024 units are one vCPU), `req_memory` in MB, and `req_video` in GPU units. `max_duration` is in minutes, and
 * -1 means no limit. `time_to_deploy` is in seconds. If the download of the container image takes longer than
 * `time_to_deploy`, the deployment fails. Edgegap's answer also contains registry credentials and injected variables.
 * These fields are left out on purpose.
 */
export const AppVersion = z.object({
  name: z.string().min(1),
  is_active: z.boolean().catch(true),
  caching_percent: number,
  req_cpu: number,
  req_memory: number,
  req_video: number,
  max_duration: number,
  time_to_deploy: number,
  restart_policy: text,
  termination_grace_period_seconds: number,
  ports: z
    .array(z.object({ name: text, port: number, protocol: text, tls_upgrade: flag }))
    .optional()
    .catch(undefined),
  create_time: text,
  last_updated: text,
});
export type AppVersion = z.infer<typeof AppVersion>;

export const VersionList = list('versions', AppVersion);

/** A location to deploy to. `tags` is empty unless the request asked for the tags. */
export const AvailableLocation = Location.extend({ type: text, tags: Tags });
export type AvailableLocation = z.infer<typeof AvailableLocation>;

export const LocationList = list('locations', AvailableLocation);

/**
 * A host of a private fleet. `allocatable_*` is the part of the host that deployments may use, in CPU units (1024 units
 * are one vCPU) and MB. `allocated_*` is the used share of this part. Edgegap deploys only to ACTIVE hosts.
 */
export const FleetHost = z.object({
  host_id: z.string().min(1),
  status: z
    .string()
    .min(1)
    .transform((status) => status.trim().toUpperCase()),
  ip_address: text,
  city: text,
  country: text,
  continent: text,
  latitude: number,
  longitude: number,
  allocated_cpu_units: number,
  allocated_memory_mb: number,
  allocatable_cpu_units: number,
  allocatable_memory_mb: number,
  created_at: text,
  updated_at: text,
  centroid: z.object({ label: text }).optional().catch(undefined),
  delete_schedule: z.object({ scheduled_at: text }).optional().catch(undefined),
  fleet_host_specifications: z
    .object({ cpu_units: number, memory_mb: number, base_clock_speed_mhz: number })
    .optional()
    .catch(undefined),
});
export type FleetHost = z.infer<typeof FleetHost>;

export const HostList = list('data', FleetHost);

/** The locations to list. If no field is given, all locations are listed. */
export interface LocationFilter {
  /** Lists only locations with capacity for this version of the application. */
  application?: string | undefined;
  version?: string | undefined;
  /** The type of the location, as Edgegap names it. */
  type?: string | undefined;
  /** Whether the answer contains the tags of each location. */
  tags?: boolean | undefined;
}

export interface LocationListing {
  locations: AvailableLocation[];
  /** The notes that the API added to the list. */
  messages: string[];
}
