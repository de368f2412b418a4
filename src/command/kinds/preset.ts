import type { Address } from '../../chat/port.ts';
import { InputError } from '../../errors.ts';
import { bare, quoted } from '../argv.ts';
import { bestNames } from '../best-matches.ts';
import type { Preset, Presets } from '../presets.ts';
import { nameKey } from '../same-name.ts';
import { nameInput, suggestion } from './checked-text.ts';
import type { Kind } from './kind.ts';

/**
 * Names that a preset must not have: `@last` already means the latest deployment, and the other names notify the people
 * of a channel.
 */
const TAKEN = ['last', 'here', 'channel', 'everyone'];

/** The name of a preset. The preset need not exist yet. */
export const presetName: Kind<string> = {
  placeholder: 'name',
  mark: '@',
  field: { closed: true },
  input: nameInput,
  parse(given) {
    const name = bare(String(given)).replace(/^@/, '').toLowerCase();
    if (TAKEN.includes(name))
      throw new InputError('preset-name', `${quoted(name)} cannot be the name of a preset.`, {
        hint: `@${name} has another meaning. Choose another name, for example qa.`,
      });
    if (/^[a-z0-9_][a-z0-9_-]{0,31}$/.test(name)) return name;
    const words = name.split(/[^\p{L}\p{M}\p{N}_]+/u).map((word) => nameKey(word).replace(/\W+/g, ''));
    const possible = words.filter(Boolean).join('-').slice(0, 32);
    throw new InputError('preset-name', `${quoted(name)} cannot be the name of a preset.`, {
      hint: `A name has 1 to 32 letters from a to z, digits, - and _, does not begin with -, and has no spaces${possible ? `, like ${possible}` : ''}.`,
    });
  },
  suggest: async ({ typed, presets, at }) => {
    const all = await presets.all(at);
    return bestNames(
      typed.replace(/^@/, ''),
      all.map(({ name }) => name),
    );
  },
};

/** The name of an existing preset. The preset gives values to options for which the person gives no value. */
export const preset: Kind<string> = {
  ...presetName,
  expand: async (name, { presets, at }) => (await findPreset(presets, at, name)).options,
};

/** Returns the preset with this name. Throws InputError if there is no such preset. */
export async function findPreset(presets: Presets, at: Address, name: string): Promise<Preset> {
  const found = await presets.get(at, name);
  if (found) return found;
  const known = (await presets.all(at)).map((one) => one.name);
  // If the name of a preset is also the name of a person, Slack may send a mention with an id, such as @U0123ABCD.
  const isId = /^(?=.*\d)[suw][a-z0-9]{8,}$/.test(name);
  const hints = [
    known.length > 0 ? suggestion(name, known) : 'No preset has been saved here yet.',
    ...(isId
      ? ['If the chat has turned the name into a mention, give the name like this: `--preset qa`.']
      : []),
  ];
  throw new InputError('preset-unknown', `There is no preset ${quoted(name)}.`, { hint: hints.join(' ') });
}
