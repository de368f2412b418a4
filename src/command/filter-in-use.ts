import { type Filter, filtersOf } from '../deployments/list-filter.ts';
import { withoutOwnTags } from '../edgegap/outside.ts';
import type { Services } from './define.ts';
import { namesakes } from './same-name.ts';

type Needed = Pick<Services, 'edgegap' | 'catalog' | 'clock'>;

/**
 * If no deployment matches the filter, replaces the tag and the version by equivalent spellings that existing
 * deployments use.
 */
export async function filterInUse(needed: Needed, filter: Filter): Promise<Filter> {
  if (filter.tag === undefined && filter.version === undefined) return filter;
  const asGiven = { filters: filtersOf(filter, needed.clock.now()), limit: 1 };
  const { total_count } = await needed.edgegap.deployments(asGiven);
  return total_count > 0 ? filter : await spellingsInUse(needed, filter);
}

/** Replaces the tag and the version in the filter by equivalent spellings that existing deployments use. */
export async function spellingsInUse(
  { edgegap, catalog, clock }: Needed,
  filter: Filter,
  ids?: readonly string[],
): Promise<Filter> {
  const { application, version, tag } = filter;
  const versions: string[] = [];
  if (version && !application)
    for (const { name } of await catalog.applications())
      versions.push(...(await catalog.versions(name)).map((one) => one.name));
  const named = { ...filter, version: namesInUse(version, versions) };
  const tags: string[] = [];
  const others = filtersOf({ ...named, tag: undefined }, clock.now(), ids);
  if (tag)
    for await (const row of edgegap.allDeployments({ filters: others }))
      tags.push(...withoutOwnTags(row.tags));
  return { ...named, tag: namesInUse(tag, tags) };
}

function namesInUse(given: Filter['tag'], known: readonly string[]): Filter['tag'] {
  if (typeof given !== 'string') return given;
  const found = namesakes(given, [...new Set(known)], (one) => one);
  return found.length > 0 ? found : given;
}
