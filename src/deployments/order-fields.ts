import type { Field, Rich } from '../chat/card.ts';
import { fieldsOf } from '../chat/facts.ts';
import { duration } from './card.ts';
import type { OrderDetails } from './deployment.ts';
import { resources } from './resources.ts';

/** A card shows at most this many names in a list. */
const NAMED = 10;

/**
 * The parts of an order beyond the application, the location and the tags, as fields of a card. Only the names of
 * variables are shown, because a value may be a secret. The command and its arguments are not shown for the same
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
    // The length is shown only until Edgegap has accepted the deploy. Afterwards the card shows when the server ends.
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
