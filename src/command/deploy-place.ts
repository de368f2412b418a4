import { counted } from '../chat/facts.ts';
import type { OrderDetails } from '../deployments/deployment.ts';
import type { Location } from '../edgegap/schema.ts';
import { InputError } from '../errors.ts';
import { quoted } from './argv.ts';
import type { Services } from './define.ts';
import { findLocation } from './kinds/location.ts';
import { placeText } from './kinds/places.ts';

export interface GivenPlaces {
  readonly near?: readonly Partial<Location>[] | undefined;
  readonly ip?: readonly string[] | undefined;
}

/**
 * The positions near which Edgegap deploys: the given locations and players, or the default location from the settings.
 */
export async function placement(
  services: Services,
  { near, ip: ips = [] }: GivenPlaces,
): Promise<Pick<OrderDetails, 'users' | 'place'>> {
  const places = near ?? (ips.length === 0 ? await defaultPlace(services) : []);
  const points = places.map((place) => {
    const { latitude, longitude } = place;
    if (latitude !== undefined && longitude !== undefined) return { latitude, longitude };
    throw new InputError('place-unmapped', `Edgegap does not say where ${placeText(place)} is.`, {
      hint: 'Choose another city, or give coordinates (45.50,-73.57) or players’ addresses (ip).',
      option: 'near',
    });
  });
  const users = [...points, ...ips.map((ip_address) => ({ ip_address }))];
  if (users.length === 0)
    throw new InputError('place-missing', 'I do not know where to deploy.', {
      hint: 'Add a city, for example `--near Montreal`, or the addresses of players, for example `--ip 203.0.113.7`. Whoever runs me can set DEFAULT_NEAR.',
      option: 'near',
      missing: true,
    });
  // The card shows the number of players and not their addresses, because the whole channel can read the card.
  const players = ips.length > 0 ? [counted(ips.length, 'player')] : [];
  const named = places.length > 0 ? [places.map(placeText).join('; ')] : [];
  return { users, place: `near ${[...named, ...players].join(' and ')}` };
}

async function defaultPlace({ settings, catalog }: Services): Promise<readonly Location[]> {
  const { defaultNear } = settings;
  if (defaultNear === undefined) return [];
  try {
    return [await findLocation(catalog, defaultNear)];
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw new InputError('default-near', `My default place, ${quoted(defaultNear)}, cannot be used.`, {
      hint: `Add a city, for example \`--near Montreal\`. Whoever runs me can correct DEFAULT_NEAR: ${cause.userMessage} ${cause.hint ?? ''}`.trim(),
      cause,
    });
  }
}
