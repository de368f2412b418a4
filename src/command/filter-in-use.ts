import { type Filter, filtersOf } from '../deployments/list-filter.ts';
import { isOwnTag } from '../edgegap/outside.ts';
import type { Services } from './define.ts';
import { namesakes } from './same-name.ts';

/** If the tag or version in the filter matches nothing, replaces it with the equivalent spellings that are in use. */
export async function filterInUse(
  { edgegap, catalog, clock }: Pick<Services, 'edgegap' | 'catalog' | 'clock'>,
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
    for await (const row of edgegap.allDeployments({ filters: others, limit: 50 }))
      tags.push(...row.tags.filter((one) => !isOwnTag(one)));
  return { ...named, tag: namesInUse(tag, tags) };
}

function namesInUse(given: Filter['tag'], known: readonly string[]): Filter['tag'] {
  if (typeof given !== 'string') return given;
  const found = namesakes(given, [...new Set(known)], (one) => one);
  return found.length > 0 ? found : given;
}
