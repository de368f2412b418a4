import { findFresh } from '../../deployments/catalog.ts';
import type { Application, AppVersion } from '../../edgegap/schema.ts';
import { InputError } from '../../errors.ts';
import { bare, nearest, quoted } from '../argv.ts';
import { namesakes } from '../same-name.ts';
import { nameInput, plainText, suggestion } from './checked-text.ts';
import type { Kind } from './kind.ts';

/** Takes what is switched off, too: to be looked at, not to be deployed. */
export interface OrInactive {
  readonly orInactive?: true;
}

export const application: Kind<string, OrInactive> = {
  placeholder: 'application',
  input: nameInput,
  // The vendor's own bound for both names.
  parse: (given, { name }) => plainText(bare(String(given)), name, 64),
  resolve: (name, { catalog }, _, { orInactive }) =>
    findNamed((age) => catalog.applications(age), name, { orInactive }),
  known: ({ catalog }) => knownApplications(catalog.applications()),
};

type Named = Application | AppVersion;

/** Empty where that cannot be told, or not now: what is missing is said all the same. */
export async function knownApplications(known: Promise<readonly Named[]>): Promise<string> {
  return await known.then(
    (all) => suggestion('', active(all)),
    () => '',
  );
}

function active(all: readonly Named[]): string[] {
  return names(all.filter((one) => one.is_active));
}

function names(all: readonly Named[]): string[] {
  return all.map((one) => one.name);
}

/** The application of that name, or the version of the application `of`. */
export async function findNamed(
  read: (atMostOldMs?: number) => Promise<readonly Named[]>,
  name: string,
  { of, orInactive }: { readonly of?: string } & { readonly orInactive?: true | undefined } = {},
): Promise<string> {
  // From the cache the very name alone: by now, another one may be called what only means the same.
  const { found: exact, all } = await findFresh(read, (known) => known.find((one) => one.name === name));
  const same = exact ? [exact] : namesakes(name, all, (one) => one.name);
  const usable = orInactive ? names : active;
  const [found, ...others] = usable(same);
  const kind = of === undefined ? 'application' : 'version';
  if (others.length > 0)
    throw new InputError(`${kind}-ambiguous`, `Several ${kind}s could be meant by ${quoted(name)}.`, {
      hint: `Say which: ${usable(same).join(' or ')}.`,
    });
  if (found !== undefined) return found;
  const known = suggestion('', usable(all));
  if (same.length > 0) {
    const which = of === undefined ? `The application ${quoted(name)}` : `Version ${quoted(name)} of ${of}`;
    throw new InputError(`${kind}-inactive`, `${which} is switched off.`, {
      hint: `Activate it in the Edgegap dashboard. ${known}`,
    });
  }
  const which = of === undefined ? 'There is no application' : `${of} has no version`;
  // Many builds are near to a number that none has: the newest are named too.
  const near = nearest(name, usable(all));
  throw new InputError(`${kind}-unknown`, `${which} ${quoted(name)}.`, {
    hint: near ? `Did you mean ${near}? ${known}` : known,
  });
}
