import type { Node } from '../src/chat/card.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { fullName, placeName } from '../src/command/kinds/location.ts';
import { checkHasApplication } from '../src/command/kinds/version.ts';
import { pageButtons, pageNote, pageOf, pageOption, turnedPage } from '../src/command/pages.ts';
import { distance } from '../src/deployments/resources.ts';
import type { AvailableLocation, Location } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

/** On a page: cities in groups are short, a row with tags or a distance takes a line of its own. */
const ROWS = { grouped: 60, lines: 20 };

interface Asked {
  readonly application?: string | undefined;
  readonly version?: string | undefined;
  readonly type?: string | undefined;
  readonly tags?: boolean | undefined;
  readonly near?: Location | undefined;
}

/** A city, which Edgegap may list several times: once for each data centre. */
interface Place {
  readonly location: Location;
  /** Its type, then its tags, where they were asked for. */
  readonly marks: readonly string[];
  readonly km: number | undefined;
}

export default defineCommand({
  description: 'List the places to deploy to, or those with room for a version',
  example: '--application kart-racing --version v1.2 --near Montreal',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    application: { kind: 'application', description: 'Only places with room for this application' },
    version: { kind: 'version', description: 'Only places with room for this version of the application' },
    near: { kind: 'location', description: 'Sort by the distance to this city, the nearest first' },
    type: { kind: 'string', maxLength: 64, description: 'Only places of this type, as Edgegap names types' },
    tags: { kind: 'boolean', description: 'Show the types and tags of places, where Edgegap tells them' },
    page: pageOption,
  },
  actions: {
    page: {
      permission: 'deployments.read',
      ack: 'update',
      check: async (context) => void (await turnedPage(context)),
      async run(context) {
        const { page, state } = await turnedPage<Asked>(context);
        await show(context, state, page);
      },
    },
  },
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
  const { near, ...filter } = asked;
  const { locations, messages } = await context.edgegap.locations(filter);
  const all = placesOf(locations, near);
  const { rows, ...at } = pageOf(all, wanted, near || asked.tags ? ROWS.lines : ROWS.grouped);
  const nodes: Node[] = [
    ...(all.length === 0 ? [emptyText(asked)] : near ? [distanceTable(rows, asked)] : groups(rows, all)),
    ...(asked.tags && all.length > 0 && all.every(({ marks }) => marks.length === 0)
      ? [{ kind: 'note', text: ['Edgegap tells no types or tags.'] } as const]
      : []),
    ...messages.map((message): Node => ({ kind: 'note', text: [`Edgegap says: ${message}`] })),
    ...pageNote(at),
    ...(await pageButtons(context, 'locations', asked, { page: at.page, more: at.page < at.pages })),
  ];
  await context.respond({ kind: 'card', tone: 'neutral', title: [titleOf(asked, all.length)], nodes });
}

/** Each city once; nearest first, or else by continent, country and name. */
function placesOf(locations: readonly AvailableLocation[], near: Location | undefined): Place[] {
  const places = new Map<string, Place>();
  for (const location of locations) {
    const { type, tags } = location;
    const marks = [...(places.get(fullName(location))?.marks ?? []), ...(type ? [type] : []), ...tags];
    const km = near && distance(near, location);
    places.set(fullName(location), { location, marks: [...new Set(marks)], km });
  }
  const order = ({ location: { continent, country, city } }: Place) => [continent, country, city].join('\n');
  const byName = [...places.values()].toSorted((a, b) => order(a).localeCompare(order(b), 'en'));
  if (!near) return byName;
  const kmOf = ({ km = Number.POSITIVE_INFINITY }: Place) => km;
  return byName.toSorted((a, b) => (kmOf(a) === kmOf(b) ? 0 : kmOf(a) - kmOf(b)));
}

/** A text for each continent, and in each text a line for each country. */
function groups(rows: readonly Place[], all: readonly Place[]): Node[] {
  const continents = Map.groupBy(rows, ({ location }) => location.continent ?? 'Elsewhere');
  return [...continents].map(([continent, here]): Node => {
    const countries = Map.groupBy(here, ({ location }) => location.country ?? '');
    const lines = [...countries].map(([country, places]) => {
      const cities = places.map((place) => marked(cityName(place, all), place)).join(', ');
      return `\n${country ? `${country}: ` : ''}${cities}`;
    });
    return { kind: 'text', text: [{ bold: continent }, ...lines] };
  });
}

/** The city; with its division where the country has another city of that name. */
function cityName({ location }: Place, all: readonly Place[]): string {
  const { city = fullName(location), administrative_division: division } = location;
  const isAlone = all.filter((one) => placeName(one.location) === placeName(location)).length === 1;
  return isAlone || !division ? city : `${city}, ${division}`;
}

function marked(name: string, { marks }: Place): string {
  return marks.length > 0 ? `${name} (${marks.join(', ')})` : name;
}

function distanceTable(rows: readonly Place[], { tags }: Asked): Node {
  return {
    kind: 'table',
    columns: ['distance', 'place', ...(tags ? ['type and tags'] : [])],
    rows: rows.map(({ location, marks, km }) => [
      km === undefined ? 'not known' : `${Math.round(km).toLocaleString('en')} km`,
      placeName(location),
      ...(tags ? [marks.join(', ')] : []),
    ]),
  };
}

function emptyText({ application, type }: Asked): Node {
  const text = [
    ...(application ? ['No place has room now: try again later, or use a version that needs less.'] : []),
    ...(type ? ['Leave out the type to see the places of all types.'] : []),
  ];
  return { kind: 'text', text: [text.join(' ') || 'Edgegap lists no place at all: try again in a minute.'] };
}

function titleOf({ application, version, type, near }: Asked, count: number): string {
  return [
    `${count} ${count === 1 ? 'place' : 'places'}`,
    application && ` with room for ${[application, version].filter((part) => part).join(' ')}`,
    type && ` of type ${type}`,
    near && `, nearest to ${placeName(near)} first`,
  ]
    .filter((part) => part)
    .join('');
}
