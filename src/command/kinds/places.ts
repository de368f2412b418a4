import type { Location } from '../../edgegap/schema.ts';
import { InputError } from '../../errors.ts';
import { bare, quoted } from '../argv.ts';
import { offerCities, offeringLast } from '../offers.ts';
import { plainText } from './checked-text.ts';
import type { Kind } from './kind.ts';
import { findLocation, fullName, placeName } from './location.ts';

const COORDINATES = /^([+-]?\d{1,3}(?:\.\d+)?)\s*,\s*([+-]?\d{1,3}(?:\.\d+)?)$/;

/**
 * Cities and coordinates, separated by semicolons. A comma is no separator, because the name of a city and coordinates
 * may contain a comma.
 */
export const places: Kind<readonly Partial<Location>[]> = {
  placeholder: 'city',
  many: true,
  input: () => ({ type: 'text', maxLength: 1000 }),
  parse: (given, { name }) =>
    [given]
      .flat()
      .flatMap((part) => String(part).split(/[;；]/))
      .map((part) => plainText(bare(part), name, 100))
      .filter((part) => part !== '')
      .join(';'),
  async resolve(named, { catalog }) {
    const all = named.split(';').map((name) => coordinatesIn(name) ?? findLocation(catalog, name));
    const found = await Promise.all(all);
    return [...new Map(found.map((place) => [placeText(place), place])).values()];
  },
  suggest: offeringLast(';；', async (about) => offerCities(about, fullName)),
  field: { separator: '; ' },
  exact: (found) => found.map((place) => fullName(place) || placeText(place)).join('; '),
};

/** Reads `45.50,-73.57`. Undefined for any other text. Throws InputError if no point on Earth has these coordinates. */
function coordinatesIn(text: string): Partial<Location> | undefined {
  const [, first, second] = COORDINATES.exec(text.replaceAll('−', '-')) ?? [];
  if (first === undefined || second === undefined) return undefined;
  const [latitude, longitude] = [Number(first), Number(second)];
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude };
  throw new InputError('not-coordinates', `No place has the coordinates ${quoted(text)}.`, {
    hint: 'The latitude comes first, from -90 to 90, then the longitude, from -180 to 180: 45.50,-73.57.',
  });
}

/** The name of a city, or the coordinates if the location has no name. */
export function placeText(place: Partial<Location>): string {
  return placeName(place) || `${place.latitude}, ${place.longitude}`;
}
