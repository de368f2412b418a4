import type { ListFilter } from '../edgegap/requests.ts';
import { duration } from './card.ts';
import type { Search } from './search.ts';

/**
 * The deployments that a person wants to see. If the person's text matches several versions or tags, the filter
 * contains all of them.
 */
export interface Filter {
  readonly application?: string | undefined;
  readonly version?: string | readonly string[] | undefined;
  readonly status?: string | undefined;
  readonly tag?: string | readonly string[] | undefined;
  /** In `fleet` and `host`, `*` is a wildcard for any text. */
  readonly fleet?: string | undefined;
  readonly host?: string | undefined;
  /** The minimum age, in milliseconds. */
  readonly olderThan?: number | undefined;
  /** If true, the list contains only deployments that this person deployed from chat. */
  readonly mine?: boolean | undefined;
}

/** The possible statuses of deployments in the list. The list contains only active deployments. */
export const STATUSES = [
  'ready',
  'error',
  'initializing',
  'seeking',
  'seeked',
  'scanning',
  'deploying',
  'terminating',
] as const;

type Failed = Awaited<ReturnType<Search['failed']>>[number];

export function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/**
 * The filters for Edgegap's list at the time `now` (epoch milliseconds). If `ids` is set, the list contains only
 * deployments with these request_ids.
 */
export function filtersOf(filter: Filter, now: number, ids?: readonly string[]): ListFilter[] {
  const { application, version, status, tag, fleet, host, olderThan } = filter;
  return [
    ...(application ? [{ field: 'application', operator: 'eq', value: application } as const] : []),
    ...(version ? [{ field: 'version', operator: 'in', value: [version].flat() } as const] : []),
    // By default, failed deployments are left out. A failed deployment is not active, but stays in Edgegap's list until
    // a person stops it.
    {
      field: 'status',
      ...(status ? { operator: 'eq', value: status } : { operator: 'neq', value: 'error' }),
    },
    ...(tag ? [{ field: 'tags', operator: 'in', value: [tag].flat() } as const] : []),
    ...(fleet ? [pattern('fleet_name', fleet)] : []),
    ...(host ? [pattern('host_name', host)] : []),
    ...(olderThan
      ? [{ field: 'created_at', operator: 'lte', value: new Date(now - olderThan).toISOString() } as const]
      : []),
    ...(ids ? [{ field: 'request_id', operator: 'in', value: ids } as const] : []),
  ];
}

function pattern(field: 'fleet_name' | 'host_name', value: string): ListFilter {
  if (!value.includes('*')) return { field, operator: 'eq', value };
  return { field, operator: 'ilike', value: value.replaceAll('*', '%') };
}

/** The filter as text, for example `application kart-racing, older than 2 h`. Empty if there is no filter. */
export function filterWords({ olderThan, mine, ...named }: Filter): string {
  const words = Object.entries(named).flatMap(([name, value]) =>
    value ? [`${name} ${[value].flat().join(' or ')}`] : [],
  );
  if (olderThan) words.push(`older than ${duration(olderThan)}`);
  if (mine) words.push('deployed by you');
  return words.join(', ');
}

/**
 * Whether a failed deployment of the bot matches the filter. The filter's status is ignored. The store contains no
 * fleets or hosts, so a filter with a fleet or a host matches no deployment.
 */
export function matchesFailed(
  failed: Failed,
  filter: Filter,
  now: number,
  mineIds: readonly string[],
): boolean {
  const { application, version, tag, fleet, host, olderThan, mine } = filter;
  const isOneOf = (given: Filter['tag'], matches: (one: string) => boolean) =>
    given === undefined || [given].flat().some(matches);
  return (
    fleet === undefined &&
    host === undefined &&
    (!application || failed.application === application) &&
    isOneOf(version, (one) => failed.version === one) &&
    isOneOf(tag, (one) => failed.tags_json?.includes(JSON.stringify(one)) ?? false) &&
    (!olderThan || failed.created_at <= now - olderThan) &&
    (!mine || mineIds.includes(failed.request_id ?? ''))
  );
}
