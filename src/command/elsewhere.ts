import type { Card, Choice } from '../chat/card.ts';
import type { Deployment, OrderDetails } from '../deployments/deployment.ts';
import { distance } from '../deployments/resources.ts';
import type { Location } from '../edgegap/schema.ts';
import { InputError } from '../errors.ts';
import type { Services } from './define.ts';
import { placement } from './deploy-place.ts';
import { findLocation, fullName, placeName } from './kinds/location.ts';

/** The number of cities that the menu offers. */
const OFFERED = 10;
/** The number of characters that Slack allows for the value of a choice. */
const VALUE_LENGTH = 75;

/** A card with a menu of other cities that have room for the version. The nearest city comes first. */
export async function cityMenu({ edgegap }: Services, deployment: Deployment): Promise<Card> {
  const { id, application, version } = deployment;
  const { locations } = await edgegap.locations({ application, version });
  const from = positionOf(deployment);
  const kmTo = (place: Location) => (from && distance(from, place)) ?? Number.POSITIVE_INFINITY;
  const tried = fullName(deployment.snapshot?.location ?? {});
  // Edgegap may list a city several times, once for each data centre.
  const cities = [...new Map(locations.map((place) => [fullName(place), place]))]
    .filter(([name, { latitude }]) => name !== tried && name.length <= VALUE_LENGTH && latitude !== undefined)
    .toSorted(([, a], [, b]) => kmTo(a) - kmTo(b))
    .slice(0, OFFERED);
  if (cities.length === 0)
    throw new InputError('elsewhere-none', 'Edgegap lists no other city with room for this version.', {
      hint: 'Nothing was deployed. Try again later, or use `deploy` with another version.',
    });
  const choices = cities.map(([value, place]): Choice => {
    const km = kmTo(place);
    const detail = Number.isFinite(km)
      ? { detail: `about ${Math.round(km).toLocaleString('en')} km away` }
      : {};
    return { label: placeName(place), value, ...detail };
  });
  const action = { command: 'deploy', action: 'again', arg: id };
  return {
    kind: 'card',
    tone: 'neutral',
    title: [`Deploy ${application} ${version} near another city`],
    nodes: [
      { kind: 'text', text: ['Choose a city. I show the order before I deploy anything.'] },
      { kind: 'select', placeholder: 'Choose a city', choices, action },
    ],
  };
}

/**
 * Returns the order details with the location replaced by the named city. The private fleet is left out, because a
 * fleet's hosts have a fixed location.
 */
export async function planNear(services: Services, plan: OrderDetails, name: string): Promise<OrderDetails> {
  if (plan.legacy)
    throw new InputError(
      'elsewhere-legacy',
      'Edgegap’s older API takes no cities, and no other API takes this order.',
      {
        hint: 'Nothing was deployed. Use `deploy`, without a command, arguments and a log storage.',
      },
    );
  const near = [await findLocation(services.catalog, name)];
  return { ...plan, ...(await placement(services, { near })), fleet: undefined };
}

/** The position of the server, or the first location of the order if Edgegap did not report the position. */
function positionOf({ snapshot, plan }: Deployment): Pick<Location, 'latitude' | 'longitude'> | undefined {
  const { location } = snapshot ?? {};
  return location?.latitude === undefined ? plan.users.find((user) => 'latitude' in user) : location;
}
