import { type Catalog, newestFirst } from '../../deployments/catalog.ts';
import type { AppVersion } from '../../edgegap/schema.ts';
import { InputError } from '../../errors.ts';
import { application, findNamed, knownApplications, type OrInactive } from './application.ts';
import type { FoundValues, Kind } from './kind.ts';

/** Of the application that is given before it; of an unknown application a version is taken as it is. */
export const version: Kind<string, OrInactive> = {
  ...application,
  placeholder: 'version',
  async resolve(name, { catalog }, found, { orInactive }) {
    const of = applicationIn(found);
    return of === undefined ? name : await findVersion(catalog, of, name, orInactive);
  },
  async known({ catalog }, found) {
    const of = applicationIn(found);
    return of === undefined ? '' : await knownApplications(newestVersions(catalog, of));
  },
};

function applicationIn(found: FoundValues): string | undefined {
  return found.get(application) as string | undefined;
}

/** Both as they are deployed. Throws InputError where one does not exist or is switched off. */
export async function findDeployable(
  catalog: Catalog,
  wanted: { readonly application: string; readonly version: string },
): Promise<{ application: string; version: string }> {
  const found = await findNamed((age) => catalog.applications(age), wanted.application);
  return { application: found, version: await findVersion(catalog, found, wanted.version) };
}

function findVersion(catalog: Catalog, of: string, name: string, orInactive?: true): Promise<string> {
  return findNamed((age) => newestVersions(catalog, of, age), name, { of, orInactive });
}

/** Throws InputError where a version is given alone: versions of several applications may have the same name. */
export function checkHasApplication(given: {
  application?: string | undefined;
  version?: string | undefined;
}) {
  if (given.version === undefined || given.application !== undefined) return;
  throw new InputError('version-alone', 'A version alone does not say of which application.', {
    hint: 'Add the option application (typed: --application kart-racing).',
  });
}

/** Of many builds the last ones are what somebody may mean. */
async function newestVersions(catalog: Catalog, of: string, atMostOldMs?: number): Promise<AppVersion[]> {
  return newestFirst(await catalog.versions(of, atMostOldMs));
}
