import { type Catalog, findFresh } from '../../deployments/catalog.ts';
import type { Location } from '../../edgegap/schema.ts';
import { InputError } from '../../errors.ts';
import { bare, quoted } from '../argv.ts';
import { offerCities } from '../offers.ts';
import { isSameName, nameKey, namesakes } from '../same-name.ts';
import { nameInput, plainText, suggestion } from './checked-text.ts';
import type { Kind } from './kind.ts';

export const location: Kind<Location> = {
  placeholder: 'city',
  input: nameInput,
  parse: (given, { name }) => plainText(bare(String(given)), name, 100),
  resolve: (name, { catalog }) => findLocation(catalog, name),
  exact: (found) => fullName(found),
  suggest: async (about) => offerCities(about, fullName),
};

/**
 * Finds a city by name. If several cities have this name, the person adds the country, the administrative division, or
 * both, as in `city, country`.
 */
export async function findLocation(catalog: Catalog, name: string): Promise<Location> {
  const [city = '', ...region] = name.split(',').filter((part) => part.trim() !== '');
  const { found, all } = await findFresh(
    (age) => catalog.locations(age),
    (locations) => {
      const inRegion = locations.filter(({ country, administrative_division }) =>
        region.every((part) => [country, administrative_division].some((one) => isSameName(part, one ?? ''))),
      );
      const named = namesakes(city, inRegion, (one) => one.city ?? '');
      const found = named.length > 0 ? named : inRegion.filter((one) => isBeginning(city, one.city ?? ''));
      return found.length > 0 ? found : undefined;
    },
  );
  // Edgegap may list a city several times, once for each data centre.
  const places = new Map((found ?? []).map((one) => [fullName(one), one]));
  const [only] = places.values();
  if (only && places.size === 1) return only;
  if (places.size > 1)
    throw new InputError('location-ambiguous', `There are several places called ${quoted(name)}.`, {
      hint: `Say which: ${[...places.keys()].map((place) => `"${place}"`).join(' or ')}.`,
    });
  const cities = [...new Set(all.flatMap((one) => one.city ?? []))].toSorted();
  const key = nameKey(city);
  const begun = key === '' ? [] : cities.filter((one) => nameKey(one).startsWith(key));
  throw new InputError('location-unknown', `Edgegap has no location ${quoted(name)}.`, {
    hint: begun.length > 0 ? `Did you mean ${begun.slice(0, 5).join(' or ')}?` : suggestion(city, cities),
  });
}

/**
 * Whether `given` consists of the first words of the city's name. For example, `New York` matches `New York City`. A
 * part of a word does not match, because a deployment in the wrong city costs money.
 */
function isBeginning(given: string, city: string): boolean {
  const words = city.split(/[\s\p{Pd}]+/u);
  return words.some((_, index) => isSameName(given, words.slice(0, index).join(' ')));
}

/** For example `Portland, Oregon, United States of America`. The full name distinguishes cities with equal names. */
export function fullName({ city, country, administrative_division }: Partial<Location>): string {
  return [city, administrative_division, country].filter((part) => part).join(', ');
}

/** For example `Montreal, Canada`. */
export function placeName({ city, country, administrative_division }: Partial<Location>): string {
  return [city, country ?? administrative_division].filter((part) => part).join(', ');
}
