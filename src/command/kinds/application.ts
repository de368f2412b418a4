import type { Choice } from '../../chat/card.ts';
import { findFresh } from '../../deployments/catalog.ts';
import type { Application, AppVersion } from '../../edgegap/catalogue.ts';
import { InputError } from '../../errors.ts';
import { bare, nearest, quoted } from '../argv.ts';
import { offerNamed } from '../offers.ts';
import { namesakes } from '../same-name.ts';
import { nameInput, plainText, suggestion } from './checked-text.ts';
import type { Kind } from './kind.ts';

/**
 * With `orInactive`, an option also accepts an inactive application or version. Used by commands that do not deploy the
 * application or version.
 */
export interface OrInactive {
  readonly orInactive?: true;
}

export const application: Kind<string, OrInactive> = {
  placeholder: 'application',
  input: nameInput,
  // Edgegap itself limits the names of applications and versions to 64 characters.
  parse: (given, { name }) => plainText(bare(String(given)), name, 64),
  resolve: (name, { catalog }, _, { orInactive }) =>
    findNamed((age) => catalog.applications(age), name, { orInactive }),
  known: ({ catalog }) => knownApplications(catalog.applications()),
  suggest: async (about) => offerNamed(about, about.catalog.seen.applications(), about.fields.orInactive),
  field: {
    closed: true,
    choices: async (about) => choicesOf(await about.catalog.applications(), about.fields),
  },
};

/** The choices of a menu. Inactive applications and versions appear only if the option accepts them. */
export function choicesOf(all: readonly Named[], { orInactive }: OrInactive): Choice[] {
  const shown = orInactive ? all : all.filter(({ is_active }) => is_active);
  return shown.map(({ name, is_active }) => ({
    label: name,
    value: name,
    ...(is_active ? {} : { detail: 'inactive' }),
  }));
}

type Named = Application | AppVersion;

/**
 * A sentence for an error message, with the names that the person can use. Empty if the names cannot be read, so that
 * the person still gets the rest of the error message.
 */
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

/**
 * Finds the application with this name. With `of`, finds the version with this name among the versions of the
 * application `of`.
 */
export async function findNamed(
  read: (atMostOldMs?: number) => Promise<readonly Named[]>,
  name: string,
  { of, orInactive }: { readonly of?: string } & { readonly orInactive?: true | undefined } = {},
): Promise<string> {
  // If the cache does not contain exactly this name, the bot reads the list from Edgegap again, because a newer
  // application or version may match the name better.
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
      hint: `Activate the ${kind} in the Edgegap dashboard. ${known}`,
    });
  }
  const which = of === undefined ? 'There is no application' : `${of} has no version`;
  // Many versions have similar numbers, so the nearest name is often the wrong one. Therefore the hint also lists the
  // first known names.
  const near = nearest(name, usable(all));
  throw new InputError(`${kind}-unknown`, `${which} ${quoted(name)}.`, {
    hint: near ? `Did you mean ${near}? ${known}` : known,
  });
}
