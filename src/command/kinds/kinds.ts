import { application } from './application.ts';
import { deployment } from './deployment.ts';
import { duration } from './duration.ts';
import { fleet } from './fleet.ts';
import type { Kind } from './kind.ts';
import { list } from './list.ts';
import { location } from './location.ts';
import { moment } from './moment.ts';
import { pattern } from './pattern.ts';
import { places } from './places.ts';
import { boolean, choice, integer, string } from './plain.ts';
import { preset, presetName } from './preset.ts';
import { tag } from './tag.ts';
import { hiddenVariables, variables } from './variables.ts';
import { version } from './version.ts';

/** All kinds of options, by the names that command files use. */
export const kinds = {
  string,
  integer,
  boolean,
  choice,
  list,
  application,
  version,
  deployment,
  location,
  places,
  fleet,
  tag,
  duration,
  moment,
  preset,
  'preset-name': presetName,
  pattern,
  variables,
  'hidden-variables': hiddenVariables,
} as const satisfies Readonly<Record<string, Kind>>;
