import { z } from 'zod';
import { type Page, Pagination } from './paging.ts';

/*
 * Edgegap's answers are parsed leniently, because the API reference and the live API disagree on which fields may be
 * missing or null. For example, a field that the bot only shows must never prevent a stop. Therefore only the fields
 * that the bot needs are required. Any other field that is missing, null or of a different type is read as undefined.
 * Unknown fields are left out.
 */

/** The text is not trimmed or checked, because a log may be empty. */
const raw = z.string().optional().catch(undefined);
/** An empty text means that there is no value. For example, a server without a name has the name "". */
export const text = raw.transform((value) => (value?.trim() ? value : undefined));
export const number = z.number().optional().catch(undefined);
export const flag = z.boolean().optional().catch(undefined);
/** A number. Some examples of the API reference write these numbers as strings. */
const numeric = z.preprocess(
  (value) => (typeof value === 'string' && value.trim() ? Number(value) : value),
  number,
);

/**
 * The notes that the API adds to an answer. The deployment list calls them `message`, and the list of locations calls
 * them `messages`.
 */
const Messages = z.preprocess(
  (value) => (Array.isArray(value) ? value.filter((note) => typeof note === 'string' && note.trim()) : []),
  z.array(z.string()),
);

/**
 * The answer of a list, as a page. If the list is empty, the field with the rows may be missing, but another field must
 * then show that the answer is a list. Without this check, the answer to a different request could be read as "nothing
 * is running". The number of all rows is in `total_count`. In the tag list of the API reference, the number is in
 * `count`.
 */
export function list<Row extends z.ZodType>(key: string, row: Row) {
  const answer = z
    .object({
      rows: z.array(row).nullish(),
      count: number,
      total_count: number,
      pagination: Pagination,
      message: Messages,
      messages: Messages,
    })
    .refine(({ rows, total_count, pagination }) => rows || pagination || total_count !== undefined)
    .transform(
      ({ rows, count, total_count, pagination, message, messages }): Page<z.output<Row>> => ({
        rows: rows ?? [],
        total: total_count ?? count,
        pagination,
        messages: [...message, ...messages],
      }),
    );
  return z.preprocess(
    (value) =>
      typeof value === 'object' && value !== null
        ? { ...value, rows: (value as Record<string, unknown>)[key] }
        : value,
    answer,
  );
}

/**
 * Edgegap's known statuses, in the order in which a deployment passes through them. Other statuses are kept unchanged.
 */
export const KNOWN_STATUSES = [
  'INITIALIZING',
  'SEEKING',
  'SEEKED',
  'SCANNING',
  'DEPLOYING',
  'READY',
  'ERROR',
  'TERMINATING',
  'TERMINATED',
] as const;

/** A status in `KNOWN_STATUSES`, or a status that is newer than this version of the bot. */
export type StatusName = (typeof KNOWN_STATUSES)[number] | (string & {});

/**
 * Edgegap writes the same status as `Status.READY` (status and callbacks), `READY` (list) or `ready` (filters). The
 * result is always `READY`.
 */
function normaliseStatus(status: string): StatusName {
  return status
    .trim()
    .replace(/^status\./i, '')
    .toUpperCase();
}

/**
 * A port to which players connect. `link` is the host with the external port. `protocol` is `UDP`, `TCP`, `TCP/UDP`,
 * `HTTP` and so on.
 */
export const DeploymentPort = z.object({
  name: text,
  // Before the server has a name, Edgegap's link contains only the port. This link is left out.
  link: text.transform((link) => (link && /^([a-z]+:\/\/)?:/i.test(link) ? undefined : link)),
  internal: number,
  external: number,
  protocol: text,
  tls_upgrade: flag,
});
export type DeploymentPort = z.infer<typeof DeploymentPort>;

/** The ports by name. Values that are not objects are left out. */
const Ports = z.preprocess(
  (value) => {
    if (typeof value !== 'object' || value === null) return {};
    const entries = Object.entries(value).filter(([, port]) => typeof port === 'object' && port !== null);
    return Object.fromEntries(
      entries.map(([key, port]) => [Array.isArray(value) ? String(port.name ?? key) : key, port]),
    );
  },
  z.record(z.string(), DeploymentPort),
);

/** The location of a deployment, or a location that people can deploy to. Degrees are decimal, WGS 84. */
export const Location = z.object({
  city: text,
  country: text,
  continent: text,
  administrative_division: text,
  timezone: text,
  latitude: number,
  longitude: number,
});
export type Location = z.infer<typeof Location>;

/** In the tag list, a tag is an object with a name. In a deployment, a tag is a plain string. */
const TagName = z.union([
  z.string().regex(/\S/),
  z.object({ name: z.string().regex(/\S/) }).transform((tag) => tag.name),
]);

export const Tags = z.preprocess(
  (value) => (Array.isArray(value) ? value.filter((tag) => TagName.safeParse(tag).success) : []),
  z.array(TagName),
);

/**
 * The answer of `GET /v1/status/{id}`, and the body of every callback. Times are in UTC, see `parseEdgegapTime`.
 * `elapsed_time` is the number of seconds since READY. `max_duration` is in minutes, and -1 means no limit. `sockets`
 * (how many players fit), `sockets_usage` and `whitelisting_active` appear only in the API reference. `command` and
 * `arguments` are set only if the deployment overrides them.
 */
export const DeploymentStatus = z.object({
  request_id: z.string().min(1),
  current_status: z.string().min(1).transform(normaliseStatus),
  last_status: text.transform((status) => (status === undefined ? undefined : normaliseStatus(status))),
  app_name: text,
  app_version: text,
  fqdn: text,
  public_ip: text,
  running: z.boolean().catch(false),
  error: z.boolean().catch(false),
  error_detail: text,
  start_time: text,
  removal_time: text,
  elapsed_time: number,
  max_duration: number,
  ports: Ports,
  location: Location.optional().catch(undefined),
  tags: Tags,
  sockets: numeric,
  sockets_usage: numeric,
  whitelisting_active: flag,
  command: text,
  arguments: text,
});
export type DeploymentStatus = z.infer<typeof DeploymentStatus>;

/**
 * A row of `GET /v1/deployments`. The list contains only active deployments, and does not contain their application,
 * version and status.
 */
export const DeploymentRow = z.object({
  request_id: z.string().min(1),
  fqdn: text,
  public_ip: text,
  ready: z.boolean().catch(false),
  start_time: text,
  ports: Ports,
  tags: Tags,
});
export type DeploymentRow = z.infer<typeof DeploymentRow>;

export const DeploymentList = list('data', DeploymentRow);

export interface DeploymentPage {
  rows: DeploymentRow[];
  /** The number of rows on all pages. */
  total_count: number;
  has_next: boolean;
  /** The number of this page. The first page has the number 1. */
  page: number;
  /** The notes that the API added to this page. */
  messages: string[];
}

export const DeployAnswer = z.object({ request_id: z.string().min(1) });

export const LegacyDeployAnswer = DeployAnswer.extend({ request_version: text });

/** If the summary cannot be read, the stop still counts as a success. */
export const StopAnswer = z.object({ deployment_summary: DeploymentStatus.optional().catch(undefined) });

/** The deployments that Edgegap is going to stop. */
export const BulkStopAnswer = z.object({ processable: z.array(z.object({ request_id: z.string().min(1) })) });

export const TagList = list('tags', TagName);

/** The answer of `GET /v1/deployments/{id}/tags/{tag}`, without the name of the tag. */
export const TagTimes = z.object({ create_time: text, last_updated: text });
export type TagTimes = z.infer<typeof TagTimes>;

/** The reason why the game server's process crashed. */
export const CrashData = z.object({ exit_code: number, message: text, restart_count: number });
export type CrashData = z.infer<typeof CrashData>;

export const LogsAnswer = z.object({
  logs: raw,
  crash_logs: raw,
  crash_data: CrashData.optional().catch(undefined),
  encoding: text,
  logs_link: text,
});
export type LogsAnswer = z.infer<typeof LogsAnswer>;

/**
 * Reads a time from Edgegap: `2026-03-03 16:02:09.360719` (UTC, without a time zone) or ISO 8601. Returns epoch
 * milliseconds, or undefined for any other text.
 */
export function parseEdgegapTime(value: string | null | undefined): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(
    value?.trim() ?? '',
  );
  if (!match) return undefined;
  const [, day = '', time = '', fraction = '', zone = 'Z'] = match;
  const offset = /^(Z|UTC)$/i.test(zone) ? 'Z' : zone.replace(/^(...)(\d\d)$/, '$1:$2');
  const ms = Date.parse(
    `${day}T${time}${time.length === 5 ? ':00' : ''}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`,
  );
  return Number.isNaN(ms) ? undefined : ms;
}
