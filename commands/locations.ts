import type { Node } from '../src/chat/card.ts';
import { counted } from '../src/chat/facts.ts';
import { cutEnd } from '../src/chat/text.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { fullName, placeName } from '../src/command/kinds/location.ts';
import { checkHasApplication } from '../src/command/kinds/version.ts';
import { pageAction, pageFoot, pageOf, pageOption } from '../src/command/pages.ts';
import { distance } from '../src/deployments/resources.ts';
import type { AvailableLocation } from '../src/edgegap/catalogue.ts';
import type { Location } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

/**
 * How many cities a page shows: `names` if the page shows only names, and `lines` if it also shows tags or distances.
 */
const ROWS = { names: 45, lines: 20 };
/**
 * The maximum number of countries in a text node. Discord's renderer shows only 1,500 characters of each text node.
 */
const TEXT_LINES = 15;
/** The maximum number of characters for the type and the tags of a city. */
const MARKS = 40;

interface Asked {
  readonly application?: string | undefined;
  readonly version?: string | undefined;
  readonly type?: string | undefined;
  readonly tags?: boolean | undefined;
  readonly near?: Location | undefined;
}

/** A city. Edgegap may list a city several times, once for each data centre. The bot shows the city once. */
interface Place {
  readonly location: Location;
  /**
   * The type of the location, followed by its tags. Empty if the person did not ask for them, or if Edgegap does not
   * report them.
   */
  readonly marks: readonly string[];
  readonly km: number | undefined;
}

export default defineCommand({
  description: 'List the places to deploy to, or those with room for a version',
  topic: 'catalogue',
  example: 'kart-racing v1.2 --near Montreal',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    application: {
      kind: 'application',
      positional: true,
      description: 'Only places with room for this application',
    },
    version: {
      kind: 'version',
      positional: true,
      description: 'Only places with room for this version of the application',
    },
    near: { kind: 'location', description: 'Sort by the distance to this city, the nearest first' },
    type: {
      kind: 'string',
      maxLength: 64,
      description: 'Only places of this type (use Edgegap’s name for the type)',
    },
    tags: { kind: 'boolean', description: 'Show the types and tags of places, if Edgegap reports them' },
    page: pageOption,
  },
  actions: { page: pageAction<Asked>(show) },
  check({ options }) {
    checkHasApplication(options);
    const { near } = options;
    if (near && distance(near, near) === undefined)
      throw new InputError('place-unmapped', `Edgegap does not say where ${placeName(near)} is.`, {
        hint: 'Choose another city.',
      });
  },
  run(context) {
    const { page = 1, ...asked } = context.options;
    return show(context, asked, page);
  },
});

async function show(context: Context<unknown>, asked: Asked, wanted: number): Promise<void> {
  const { near, tags, ...filter } = asked;
  const { locations, messages } = await context.edgegap.locations({ ...filter, tags });
  const all = placesOf(locations, asked);
  const { rows, ...at } = pageOf(all, wanted, near || tags ? ROWS.lines : ROWS.names);
  const notes = messages.map((message) => `Edgegap says: ${message}`);
  if (tags && all.every(({ marks }) => marks.length === 0)) notes.push('Edgegap tells no types or tags.');
  const nodes: Node[] = [
    ...(all.length === 0 ? [emptyText(asked)] : near ? [distanceTable(rows, asked)] : byContinent(rows, all)),
    ...notes.map((note): Node => ({ kind: 'note', text: [note] })),
    ...(await pageFoot(context, 'locations', asked, at)),
  ];
  await context.respond({ kind: 'card', tone: 'neutral', title: [titleOf(asked, all.length)], nodes });
}

/**
 * Lists each city once. If `near` is given, the cities are sorted by distance. Otherwise, they are sorted by continent,
 * country and name.
 */
function placesOf(locations: readonly AvailableLocation[], { near, tags: shown }: Asked): Place[] {
  const places = new Map<string, Place>();
  for (const location of locations) {
    const name = fullName(location);
    const { type, tags } = location;
    const marks = shown ? [...(places.get(name)?.marks ?? []), ...(type ? [type] : []), ...tags] : [];
    places.set(name, { location, marks: [...new Set(marks)], km: near && distance(near, location) });
  }
  const order = ({ location }: Place) =>
    [location.continent, location.country, fullName(location)].join('\n');
  const byName = [...places.values()].toSorted((a, b) => order(a).localeCompare(order(b), 'en'));
  const kmOf = ({ km = 1e9 }: Place) => km;
  return near ? byName.toSorted((a, b) => kmOf(a) - kmOf(b)) : byName;
}

/** Shows each continent as a heading, and below the heading a line for each country. */
function byContinent(rows: readonly Place[], all: readonly Place[]): Node[] {
  return [...Map.groupBy(rows, ({ location }) => location.continent ?? 'Elsewhere')].flatMap(
    ([continent, here]) => {
      const lines = countryLines(here, all);
      const texts: Node[] = [];
      while (lines.length > 0) {
        const heading = texts.length === 0 ? [{ bold: continent }, '\n'] : [];
        texts.push({ kind: 'text', text: [...heading, lines.splice(0, TEXT_LINES).join('\n')] });
      }
      return texts;
    },
  );
}

function countryLines(here: readonly Place[], all: readonly Place[]): string[] {
  const countries = Map.groupBy(here, ({ location }) => location.country ?? 'No country');
  return [...countries].map(([country, places]) => {
    const cities = places.map((place) => cityName(place, all) + markText(place, (marks) => ` (${marks})`));
    return `${country}: ${cities.join(', ')}`;
  });
}

/** The city's name. If the country has two cities of this name, the name of the state or other division is added. */
function cityName({ location }: Place, all: readonly Place[]): string {
  const { city = 'no city', administrative_division: division } = location;
  const isAlone = all.filter((one) => placeName(one.location) === placeName(location)).length === 1;
  return isAlone || !division ? city : `${city} in ${division}`;
}

function markText({ marks }: Place, text = (all: string) => all): string {
  return marks.length > 0 ? text(cutEnd(marks.join(', '), MARKS)) : '';
}

function distanceTable(rows: readonly Place[], { tags }: Asked): Node {
  return {
    kind: 'table',
    columns: ['distance', 'place', ...(tags ? ['type and tags'] : [])],
    rows: rows.map((place) => [
      place.km === undefined ? 'not known' : `${Math.round(place.km).toLocaleString('en')} km`,
      placeName(place.location),
      ...(tags ? [markText(place)] : []),
    ]),
  };
}

function emptyText({ application, type }: Asked): Node {
  const room = application ? 'Try again later, or use a version that needs less. ' : '';
  const all = type ? 'Leave out the type to see places of all types.' : '';
  return { kind: 'text', text: [`${room}${all}` || 'Edgegap lists no place at all: try again in a minute.'] };
}

function titleOf({ application, version = '', type, near }: Asked, count: number): string {
  const room = application ? ` with room for ${`${application} ${version}`.trim()}` : '';
  const sorted = near ? `, nearest to ${placeName(near)} first` : '';
  return `${counted(count, 'place')}${type ? ` of type ${type}` : ''}${room}${sorted}`;
}
