import { distance } from 'fastest-levenshtein';

/** Matches variables that the platforms and tools around this process set for their own use. */
const OF_OTHERS = /^(node|npm|pg|kubernetes)[_a-z]/i;
/**
 * Minimum length of a name in which two letters may be wrong. A shorter name with two wrong letters may be a different
 * word.
 */
const LONG = 8;
const SLIPS = 2;
/**
 * Beginnings of settings that only this bot is likely to have. If such a name differs from a setting only by a missing
 * or an added word, the bot treats the name as a misspelt setting.
 */
const OURS = /^(edgegap|discord|slack)_/i;

/**
 * Other names for settings that limit people's rights. If the bot ignored such a name, people could do more than the
 * operator wants.
 */
const GUARDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:bot|chatops|edgegap|discord|slack|is|run|force|enable)?readonly(?:mode|bot)?$/, 'READ_ONLY'],
  [
    /^(?:bot|chatops|edgegap|app|apps|applications?)?(?:allow|allowed|white)list(?:ed)?(?:apps?|applications?)?$/,
    'APP_ALLOWLIST',
  ],
  [
    /^(?:bot|chatops|edgegap)?allow(?:ed)?app(?:s|lications?)?$|^app(?:s|lications?)?allowed$/,
    'APP_ALLOWLIST',
  ],
];

/**
 * Returns a line for each name that is set, is not a setting, and was most likely meant for one of `settings`. Each
 * line names the settings that may have been meant. `set` contains only names with a value.
 */
export function strayProblems(set: readonly string[], settings: readonly string[]): string[] {
  return set.flatMap((name) => {
    // If a setting cannot come from a file, `readSecretFiles` reports the `_FILE` name of the setting.
    if (settings.includes(name.replace(/_FILE$/, '')) || OF_OTHERS.test(name)) return [];
    const meant = meantBy(name, settings, set).join(' or ');
    const advice = `If ${name} belongs to another program, unset ${name} for me`;
    return meant ? [`${name} is no setting of mine: did you mean ${meant}? ${advice}`] : [];
  });
}

/** The settings that are most similar to the name. If several settings are equally similar, returns all of them. */
function meantBy(name: string, settings: readonly string[], set: readonly string[]): string[] {
  const off = settings.map((setting) => distance(lettersOf(name), lettersOf(setting)));
  const least = Math.min(...off);
  const slips = settings.filter(
    (setting, at) =>
      off[at] === least && (least === 0 || (lettersOf(setting).length >= LONG && least <= SLIPS)),
  );
  const guarded = GUARDS.filter(([meaning]) => meaning.test(lettersOf(name))).map(([, setting]) => setting);
  if (slips.length > 0) return slips;
  if (guarded.length > 0 || !OURS.test(name)) return guarded.filter((setting) => !set.includes(setting));
  const close = settings.filter((setting) => isOneWordOff(wordsOf(name), wordsOf(setting)));
  // If the right setting is set as well, the similar name does no harm.
  return close.some((setting) => set.includes(setting)) ? [] : close;
}

function isOneWordOff(some: readonly string[], others: readonly string[]): boolean {
  const [short, long] = some.length < others.length ? [some, others] : [others, some];
  return (
    short.length + 1 === long.length && long.some((_, at) => long.toSpliced(at, 1).join() === short.join())
  );
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** The words of the name, in the singular. */
function wordsOf(name: string): string[] {
  return name
    .toLowerCase()
    .replace(/s(?=_|$)/g, '')
    .split('_');
}
