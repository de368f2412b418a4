import { distance } from 'fastest-levenshtein';

/** What the platforms and tools around this process set for themselves. */
const OF_OTHERS = /^(node|npm|pg|kubernetes)[_a-z]/i;
/** Two slips of the hand in a name of so many letters still show which was meant; in a shorter one they are another word. */
const LONG = 8;
const SLIPS = 2;
/** Nobody but this bot is likely to have a setting that begins so and is one word more or less than one of its own. */
const OURS = /^(edgegap|discord|slack)_/i;

/** What narrows what people may do, under whatever name: unread, it would leave the bot open wide. */
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
 * One line for each name that is set, is no setting, and was most likely meant for one of `settings`: by itself such a
 * slip would leave that one unset without a word. `set` has the names alone that have a value.
 */
export function strayProblems(set: readonly string[], settings: readonly string[]): string[] {
  return set.flatMap((name) => {
    // A file of a setting that takes none is told of elsewhere.
    if (settings.includes(name.replace(/_FILE$/, '')) || OF_OTHERS.test(name)) return [];
    const meant = meantBy(name, settings, set).join(' or ');
    const advice = "If it is another program's, unset it for me";
    return meant ? [`${name} is no setting of mine: did you mean ${meant}? ${advice}`] : [];
  });
}

/** The nearest of them, several where they are equally near. */
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
  // Beside the right one it does no harm.
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

/** Each in the singular. */
function wordsOf(name: string): string[] {
  return name
    .toLowerCase()
    .replace(/s(?=_|$)/g, '')
    .split('_');
}
