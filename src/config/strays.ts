import { distance } from 'fastest-levenshtein';

/** Variables that the platforms and tools around this process set for their own use. */
const OF_OTHERS = /^(node|npm|pg|kubernetes)[_a-z]/i;
/**
 * If a name has at least `LONG` letters, the meant setting is clear even if two letters are wrong. A shorter name with
 * two wrong letters may be a different word.
 */
const LONG = 8;
const SLIPS = 2;
/**
 * Beginnings of settings that only this bot is likely to have. A name with such a beginning was meant for the bot if
 * only a missing or an added word distinguishes the name from a setting.
 */
const OURS = /^(edgegap|discord|slack)_/i;

/**
 * Other names for settings that limit people's rights. If such a name were ignored, people could do more than they
 * should.
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
 * A line for each name that is set, is not a setting, and was most likely meant for one of `settings`. Without such a
 * line, the operator would not notice that the meant setting is not set. `set` has only names with a value.
 */
export function strayProblems(set: readonly string[], settings: readonly string[]): string[] {
  return set.flatMap((name) => {
    // The `_FILE` name of a setting that takes no file is reported by `readSecretFiles`, not here.
    if (settings.includes(name.replace(/_FILE$/, '')) || OF_OTHERS.test(name)) return [];
    const meant = meantBy(name, settings, set).join(' or ');
    const advice = `If ${name} belongs to another program, unset ${name} for me`;
    return meant ? [`${name} is no setting of mine: did you mean ${meant}? ${advice}`] : [];
  });
}

/** The settings that are most similar to the name. Several settings are returned if they are equally similar. */
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
  // If the right setting is set as well, the stray name does no harm.
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
