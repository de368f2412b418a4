import { STATUSES } from '../deployments/list-filter.ts';
import { suggestFleets } from './fleets.ts';
import { suggestHosts } from './hosts.ts';

/**
 * The options of `list` and `bulk-stop` that select deployments. Their names are the names in `Filter`, apart from
 * `older-than`.
 */
export const filterOptions = {
  application: { kind: 'application', orInactive: true, description: 'Only of this application' },
  version: { kind: 'version', orInactive: true, description: 'Only of this version' },
  status: { kind: 'choice', choices: STATUSES, description: 'Only in this status' },
  tag: { kind: 'tag', description: 'Only with this tag' },
  fleet: {
    kind: 'string',
    suggest: suggestFleets,
    description: 'Only on this private fleet; * stands for anything',
  },
  host: {
    kind: 'string',
    suggest: suggestHosts,
    description: 'Only on this host of a fleet; * stands for anything',
  },
  'older-than': { kind: 'duration', description: 'Only deployments at least this old, for example 2h' },
  mine: { kind: 'boolean', description: 'Only deployments that you deployed from chat' },
} as const;
