import type { Field, Rich } from '../chat/card.ts';
import { fieldsOf } from '../chat/facts.ts';
import { duration } from './card.ts';
import type { OrderDetails } from './deployment.ts';
import { resources } from './resources.ts';

/** The maximum number of names that a card shows in a list. */
const NAMED = 10;

/**
 * The parts of an order as fields of a card, except the application, the location and the tags. The fields show only
 * the names of variables, because a value may be secret. They leave out the command and its arguments for the same
 * reason.
 */
export function orderFields(plan: OrderDetails, version: string): readonly Field[] {
  const { env = [], resources: needs, cached, fleet, legacy, newest, preset, lifetime } = plan;
  return fieldsOf({
    Version: newest && `${version} (newest active)`,
    Resources: needs && resources({ req_cpu: needs.cpu_units, req_memory: needs.memory_mib }),
    Cached: cached && 'only locations that have the image in their cache',
    Fleet: fleet && [`${fleet.name}, `, ...listed(fleet.hosts), '; if no host has room, the cloud'],
    'Log storage': legacy?.logStorage,
    Preset: preset,
    // The card shows the length until Edgegap accepts the deploy. After that, the card shows the time at which the
    // server ends.
    Lifetime: lifetime && lifetime.endsAt === undefined && duration(lifetime.ms),
    Variables: listed(env.map(({ key }) => key)),
    'Deployed with':
      legacy &&
      `Edgegap’s older API, because no other API takes ${overridden(legacy)}. That API reports only the start of the server, so I ask for all other news.`,
  }).fields;
}

function overridden(legacy: NonNullable<OrderDetails['legacy']>): string {
  const names = { command: 'a command', arguments: 'arguments', logStorage: 'a log storage' } as const;
  const given = Object.entries(names).filter(([name]) => legacy[name as keyof typeof names] !== undefined);
  return new Intl.ListFormat('en-GB').format(given.map(([, words]) => words));
}

function listed(names: readonly string[]): Rich {
  const shown = names
    .slice(0, NAMED)
    .flatMap((name, index) => [index === 0 ? '' : ', ', { code: name } as const]);
  return names.length > NAMED ? [...shown, ` and ${names.length - NAMED} more`] : shown;
}
