import { bare } from '../argv.ts';
import { knownFleets, suggestFleets } from '../fleets.ts';
import { namesakes } from '../same-name.ts';
import { nameInput, plainText, suggestion } from './checked-text.ts';
import type { Kind } from './kind.ts';

/**
 * The name of a private fleet. Edgegap has no endpoint that lists fleets, so this kind does not check whether the fleet
 * exists.
 */
export const fleet: Kind<string> = {
  placeholder: 'fleet',
  input: nameInput,
  parse: (given, { name }) => plainText(bare(String(given)), name, 100),
  async resolve(name, lookup) {
    const [found, ...others] = namesakes(name, await knownFleets(lookup), (one) => one);
    return found !== undefined && others.length === 0 ? found : name;
  },
  async known(lookup) {
    const known = await knownFleets(lookup);
    return known.length > 0 ? suggestion('', known) : 'The Edgegap dashboard shows the names.';
  },
  suggest: suggestFleets,
  field: { closed: true },
};
