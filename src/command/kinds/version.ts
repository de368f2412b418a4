import type { Catalog, Seen } from '../../deployments/catalog.ts';
import type { AppVersion } from '../../edgegap/catalogue.ts';
import { EdgegapError } from '../../edgegap/errors.ts';
import { atOption, InputError } from '../../errors.ts';
import { bare } from '../argv.ts';
import { offerNamed } from '../offers.ts';
import { namesakes } from '../same-name.ts';
import { application, choicesOf, findNamed, knownApplications, type OrInactive } from './application.ts';
import type { FoundValues, Kind, SuggestionContext } from './kind.ts';

/**
 * A version of the application that an earlier option names. Without an application, the bot uses the typed text as the
 * version.
 */
export const version: Kind<string, OrInactive> = {
  ...application,
  placeholder: 'version',
  async resolve(name, { catalog }, found, { orInactive }) {
    const of = applicationIn(found);
    return of === undefined ? name : await findVersion(catalog, of, name, orInactive);
  },
  async known({ catalog }, found) {
    const of = applicationIn(found);
    return of === undefined ? '' : await knownApplications(catalog.versions(of));
  },
  suggest: async (about) => offerNamed(about, versionsFor(about), about.fields.orInactive),
  field: {
    closed: true,
    async choices(about) {
      const of = givenApplication(about);
      if (of === undefined) return choicesOf(versionsFor(about).rows, about.fields);
      const choices = choicesOf(await versionsOf(about.catalog, of), about.fields);
      if (choices.length === 0 && !about.fields.orInactive) throw noActiveVersion(of);
      return choices;
    },
  },
};

export function noActiveVersion(application: string): InputError {
  return new InputError('version-none', `${application} has no active version.`, {
    hint: 'Nothing was deployed. Activate a version in the Edgegap dashboard.',
    option: 'application',
  });
}

/**
 * The cached versions of the application that another option names. Without an application, the cached versions of all
 * applications.
 */
function versionsFor(about: SuggestionContext): Seen<AppVersion> {
  const { catalog } = about;
  const { rows, asOf } = catalog.seen.applications();
  const wanted = givenApplication(about);
  if (wanted !== undefined) {
    const [of] = namesakes(bare(wanted), rows, ({ name }) => name);
    return of ? catalog.seen.versions(of.name) : { rows: [], asOf };
  }
  const all = catalog.lastSeen().flatMap(({ versions }) => versions);
  return { rows: [...new Map(all.map((one) => [one.name, one])).values()], asOf };
}

function givenApplication({ given, options }: SuggestionContext): string | undefined {
  const option = Object.keys(options).find((name) => options[name]?.kind === application);
  return (option !== undefined && String(given[option] ?? '')) || undefined;
}

function applicationIn(found: FoundValues): string | undefined {
  return found.get(application) as string | undefined;
}

/**
 * The exact names of an application and a version. Throws InputError if the application or the version does not exist
 * or is inactive.
 */
export async function findDeployable(
  catalog: Catalog,
  wanted: { readonly application: string; readonly version: string },
): Promise<{ application: string; version: string }> {
  const found = await findNamed((age) => catalog.applications(age), wanted.application);
  return { application: found, version: await findVersion(catalog, found, wanted.version) };
}

function findVersion(catalog: Catalog, of: string, name: string, orInactive?: true): Promise<string> {
  return findNamed((age) => versionsOf(catalog, of, age), name, { of, orInactive });
}

/**
 * The versions of an application. Throws InputError if Edgegap no longer has the application. The cached list of
 * applications, from which the name came, may still contain a deleted application.
 */
export async function versionsOf(
  catalog: Catalog,
  of: string,
  atMostOldMs?: number,
): Promise<readonly AppVersion[]> {
  try {
    return await catalog.versions(of, atMostOldMs);
  } catch (error) {
    if (!(error instanceof EdgegapError) || error.status !== 404) throw error;
    await findNamed(() => catalog.applications(0), of).catch((gone: unknown) =>
      Promise.reject(atOption(gone, 'application')),
    );
    throw error;
  }
}

/**
 * Throws InputError if a version is given without an application, because several applications may have a version with
 * the same name.
 */
export function checkHasApplication(given: {
  application?: string | undefined;
  version?: string | undefined;
}) {
  if (given.version === undefined || given.application !== undefined) return;
  throw new InputError('version-alone', 'A version alone does not say of which application.', {
    hint: 'Say of which application, for example `--application kart-racing`.',
  });
}
