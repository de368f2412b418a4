import type { ListFilter } from '../edgegap/requests.ts';
import { duration } from './card.ts';
import type { Search } from './search.ts';

/** Which deployments a person wants to see. Several versions or tags: all that fit the typed text. */
export interface Filter {
  readonly application?: string | undefined;
  readonly version?: string | readonly string[] | undefined;
  readonly status?: string | undefined;
  readonly tag?: string | readonly string[] | undefined;
  /** `*` stands for any characters, here and in `host`. */
  readonly fleet?: string | undefined;
  readonly host?: string | undefined;
  /** The least age, in milliseconds. */
  readonly olderThan?: number | undefined;
  /** Only deployments that the person deployed from chat. */
  readonly mine?: boolean | undefined;
}

type Failed = Awaited<ReturnType<Search['failed']>>[number];

export function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/**
 * The filters for Edgegap's list at the time `now` (epoch milliseconds). `ids`: only deployments with these
 * request_ids.
 */
export function filtersOf(filter: Filter, now: number, ids?: readonly string[]): ListFilter[] {
  const { application, version, status, tag, fleet, host, olderThan } = filter;
  return [
    ...(application ? [{ field: 'application', operator: 'eq', value: application } as const] : []),
    ...(version ? [{ field: 'version', operator: 'in', value: [version].flat() } as const] : []),
    // Edgegap lists a failed deployment until a person stops the deployment; a failed deployment is not active.
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

/** `application kart-racing, older than 2 h`; an empty text without a filter. */
export function filterWords({ olderThan, mine, ...named }: Filter): string {
  const words = Object.entries(named).flatMap(([name, value]) =>
    value ? [`${name} ${[value].flat().join(' or ')}`] : [],
  );
  if (olderThan) words.push(`older than ${duration(olderThan)}`);
  if (mine) words.push('deployed by you');
  return words.join(', ');
}

/**
 * Whether a failed deployment of the bot matches the filter, apart from the status. A filter by fleet or host matches
 * nothing, because the store knows neither.
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
