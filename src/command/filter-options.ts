import { STATUSES } from '../deployments/list-filter.ts';
import { suggestFleets } from './fleets.ts';
import { suggestHosts } from './hosts.ts';

/**
 * The options of `list` and `bulk-stop` that select deployments. Except for `older-than`, each option has the same name
 * as a field of `Filter`.
 */
export const filterOptions = {
  application: {
    kind: 'application',
    orInactive: true,
    placeholder: 'Any application',
    description: 'Only servers of this application',
  },
  version: {
    kind: 'version',
    orInactive: true,
    placeholder: 'Any version',
    description: 'Only servers of this version',
  },
  status: {
    kind: 'choice',
    choices: STATUSES,
    placeholder: 'Any status',
    description: 'Only servers in this status',
  },
  tag: { kind: 'tag', placeholder: 'Any tag', description: 'Only servers with this tag' },
  fleet: {
    kind: 'string',
    suggest: suggestFleets,
    placeholder: 'Any fleet',
    hint: '* stands for anything',
    description: 'Only servers on this private fleet; * stands for any text',
  },
  host: {
    kind: 'string',
    suggest: suggestHosts,
    placeholder: 'Any host',
    hint: '* stands for anything',
    description: 'Only servers on this host of a fleet; * stands for any text',
  },
  'older-than': {
    kind: 'duration',
    placeholder: 'Any age, or for example 2h',
    description: 'Only servers at least this old, for example 2h',
  },
  mine: {
    kind: 'boolean',
    label: 'Only your servers',
    description: 'Only servers that you deployed from chat',
  },
} as const;
