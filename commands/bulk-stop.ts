import { quoted } from '../src/command/argv.ts';
import { matching, planActions, propose } from '../src/command/bulk-plan.ts';
import { type CheckContext, type Context, defineCommand } from '../src/command/define.ts';
import { filterInUse } from '../src/command/filter-in-use.ts';
import { filterOptions } from '../src/command/filter-options.ts';
import { fullName, placeName } from '../src/command/kinds/location.ts';
import type { OptionsOf } from '../src/command/options.ts';
import { namesakes } from '../src/command/same-name.ts';
import type { Deployment } from '../src/deployments/deployment.ts';
import { filtersOf } from '../src/deployments/list-filter.ts';
import type { Location } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

const { fleet, host, mine, ...filters } = filterOptions;
const options = {
  ...filters,
  city: { kind: 'location', placeholder: 'Any city', description: 'Only servers in this city' },
  by: {
    kind: 'string',
    description: 'Only servers that this person deployed from chat: a name or a mention',
  },
  mine,
  fleet,
  host,
  all: { kind: 'boolean', description: 'Required to stop all servers that run' },
} as const;
type Given = OptionsOf<typeof options>;
type Asker = Deployment['asker'];

export default defineCommand({
  description: 'Stop many servers at once (shows the plan first)',
  topic: 'change',
  example: '--application kart-racing --older-than 2h',
  permission: 'deployments.stop',
  ack: 'private',
  interrupted: 'Nothing was stopped; ask again.',
  options,
  layout: {
    title: 'Stop many servers',
    submit: 'Show the plan',
    first: ['application', 'tag', 'city', 'older-than', 'mine'],
    more: {
      'More filters': ['version', 'status', 'by', 'fleet', 'host'],
      Everything: ['all'],
    },
  },
  actions: planActions('bulk-stop', 'deployments.stop', 'Nothing was stopped.'),
  check({ options }: CheckContext<Given>) {
    const { all, ...filters } = options;
    if (!all && !Object.values(filters).some((value) => value))
      throw everything('Without a filter, bulk-stop would stop everything that runs.', filters, true);
  },
  async run(context) {
    const { edgegap, clock, options } = context;
    const { all, city, by, mine, 'older-than': olderThan, ...named } = options;
    const filter = await filterInUse(context, { ...named, olderThan });
    const wanted = {
      filter,
      spared: context.ownDeployment?.id,
      by: mine || by !== undefined ? (askers: readonly Asker[]) => askerOf(context, askers) : undefined,
      isAt: city && ((location: Location) => isSameCity(location, city)),
    };
    const found = await matching(context, wanted, city ? `city ${fullName(city)}` : '');
    // A filter that matches every running server needs `--all`. A filter for failed servers is not checked, because
    // failed servers do not run.
    if (!all && found.matched > 1 && filter.status !== 'error') {
      const running = { filters: filtersOf({}, clock.now()), limit: 1 };
      const { total_count } = await edgegap.deployments(running);
      if (found.matched >= total_count)
        throw everything(`The filter matches everything that runs: ${total_count} servers.`, options);
    }
    const asked = {
      change: { kind: 'stop' },
      filter,
      words: found.words || 'everything',
    } as const;
    await context.respond(await propose(context, 'bulk-stop', asked, found));
  },
});

/**
 * Two cities in a country may have the same name. They then differ only in the administrative division. Edgegap may
 * leave out the division, and a missing division matches any division.
 */
function isSameCity(one: Location, other: Location): boolean {
  const divisions = [one, other].flatMap(({ administrative_division = [] }) => administrative_division);
  return placeName(one) === placeName(other) && new Set(divisions).size < 2;
}

/**
 * Finds the person in `askers` to whom the option `mine` or `by` refers. Throws InputError if no person or more than
 * one person matches.
 */
function askerOf({ options, asker: me }: Context<Given>, askers: readonly Asker[]): Asker {
  const { mine, by } = options;
  const all = mine ? askers.filter(({ id }) => id === me.id) : askers;
  if (by === undefined) return me;
  // Discord writes a mention as `<@123>`. The Slack adapter passes on `@U123` or `@ann`.
  const given = by.trim().replace(/^<?@!?|>$/g, '');
  const withId = all.filter(({ id }) => id === given);
  const found = withId.length > 0 ? withId : namesakes(given, all, ({ name }) => name);
  const people = new Map(found.map(({ id, name }) => [id, `${id} (${name})`]));
  if (people.size > 1)
    throw new InputError('person-ambiguous', `Several people could be meant by ${quoted(by)}.`, {
      hint: `Nothing was stopped. Say which, by the id: ${[...people.values()].join(' or ')}.`,
    });
  const [person] = found;
  if (person) return person;
  const names = [...new Set(askers.map(({ name }) => name))].join(', ');
  throw new InputError(
    'person-unknown',
    `No server that matches the other options was deployed from chat by ${quoted(by)}.`,
    { hint: `Nothing was stopped.${names && ` Such servers were deployed by: ${names}.`}` },
  );
}

function everything(problem: string, given: Omit<Given, 'all'>, missing = false): InputError {
  const free = (['tag', 'older-than', 'application', 'city'] as const).filter((name) => !given[name]);
  const filter = Object.values(given).some(Boolean) ? 'another filter' : 'a filter';
  const advice =
    free.length > 0 ? ` Add ${filter}, such as the option ${free.slice(0, 2).join(' or ')}.` : '';
  return new InputError('filter-everything', problem, {
    hint: `Nothing was stopped.${advice} To stop everything, add \`--all\`.`,
    missing,
  });
}
