import type { Choice } from '../../chat/card.ts';
import type { FormField } from '../../chat/form.ts';
import type { FormAbilities } from '../../chat/port.ts';
import { within } from '../../clock.ts';
import { InputError } from '../../errors.ts';
import type { RawValues } from '../argv.ts';
import type { Entry } from '../define.ts';
import { DOTS } from '../kinds/dots.ts';
import type { Option, SuggestionContext } from '../kinds/kind.ts';
import type { Added } from './added.ts';
import { inWords } from './layout.ts';
import { BESIDE, initialText, writeField } from './values.ts';

/** How long a form waits for the choices of its menus. After this time, the person has to type the value. */
const CHOICES_MS = 800;

/** The data from which the fields of a form are made. */
export interface FieldParts {
  readonly entry: Entry;
  readonly given: RawValues;
  /** The values that a preset gives to the fields that stay empty. */
  readonly added?: Added | undefined;
  readonly abilities: FormAbilities;
  readonly suggesting: Omit<SuggestionContext, 'typed' | 'given' | 'fields' | 'options'>;
}

/**
 * The fields for these options. `room` is the maximum number of fields on this page of the form. If there is no more
 * room, the text fields beside menus are left out.
 */
export async function fieldsFor(
  names: readonly string[],
  parts: FieldParts,
  room: number,
): Promise<FormField[]> {
  const fields = await Promise.all(names.map((name) => fieldFor(name, parts)));
  let spare = room - fields.length;
  return fields.flatMap(({ field, beside }) => (beside && spare-- > 0 ? [field, beside] : [field]));
}

interface Made {
  readonly field: FormField;
  /** A text field for a value that is not in the menu. */
  readonly beside?: FormField;
}

async function fieldFor(name: string, parts: FieldParts): Promise<Made> {
  const option = parts.entry.options[name];
  if (!option) throw new Error(`The form of ${parts.entry.name} has no option ${name}`);
  const { kind, input, suggest } = option;
  const value = parts.given[name];
  const initial = value === undefined ? undefined : initialText(value, option, parts.abilities);
  const filled = initial === undefined ? KEPT : initial === DOTS ? DOTTED : kind.field?.filledHint;
  const fixed = value === undefined ? addedHint(name, option, parts) : filled;
  const common = {
    name,
    ...wordsOf(name, option, parts),
    // An empty field stands for the earlier value or the preset's value, so the placeholder with the default value is
    // removed.
    ...(fixed === undefined ? {} : { hint: fixed, required: false, placeholder: undefined }),
    ...(initial ? { initial } : {}),
  };
  if (input.type === 'boolean') return { field: { ...common, kind: 'choice', choices: YES_OR_NO } };
  if (input.type === 'choice') {
    const choices = input.choices.map((one) => ({ label: one, value: one }));
    if (choices.length <= parts.abilities.choices) return { field: { ...common, kind: 'choice', choices } };
  }
  const lines = kind.field?.lines ?? 'short';
  const maxLength = input.type === 'text' ? { maxLength: input.maxLength } : {};
  const several = fixed ?? severalHint(common.hint, option, parts);
  const text = {
    ...common,
    ...(several === undefined ? {} : { hint: several }),
    kind: 'text',
    lines,
    ...maxLength,
  } as const;
  if (!suggest || option.asText) return { field: text };
  if (parts.abilities.live) return { field: suggested(text, name, parts.entry, option) };
  if (!kind.field?.closed) return { field: text };
  return await menuOrText(text, name, option, parts);
}

/** The hint below a menu that does not contain the current value. */
const KEPT = 'Your entries are kept. Fill in this field only to replace all of them.';

/** The hint below a text field that cannot show the current value. */
const DOTTED =
  'The dots stand for your entries, which do not fit here. To remove the entries, delete the dots.';

const YES_OR_NO: readonly Choice[] = [
  { label: 'Yes', value: 'yes' },
  { label: 'No', value: 'no' },
];

function wordsOf(name: string, option: Option, { entry, given }: FieldParts) {
  const { required, unless, description, label, placeholder, input } = option;
  const hint = option.hint ?? (label === undefined && placeholder === undefined ? description : undefined);
  const text = placeholder ?? (input.type === 'boolean' ? 'No' : undefined);
  const canExpand = Object.entries(entry.options).some(
    ([one, other]) => other.kind.expand && given[one] !== undefined,
  );
  return {
    label: label ?? inWords(name),
    ...(text === undefined ? {} : { placeholder: text }),
    ...(hint === undefined ? {} : { hint }),
    required: unless === undefined && (required === true || (required === 'or-preset' && !canExpand)),
  };
}

/**
 * The hint below an empty field whose value comes from a preset. The hint does not contain a value that may be secret.
 */
function addedHint(name: string, option: Option, { added }: FieldParts): string | undefined {
  const value = added?.values[name];
  if (added === undefined || value === undefined) return undefined;
  const partly = option.shown ?? option.kind.shown;
  if (partly) return `If you leave this out, the value of the ${added.by} counts.`;
  return `If you leave this out, the ${added.by} gives ${writeField(value, option)}.`;
}

/** If a text field takes several values, the hint says how to separate the values. */
function severalHint(
  hint: string | undefined,
  { kind, suggest }: Option,
  { abilities }: FieldParts,
): string | undefined {
  if (!kind.many || kind.field?.lines || (abilities.live && suggest)) return hint;
  const how = `Separate several with a ${kind.field?.separator?.startsWith(';') ? 'semicolon' : 'comma'}.`;
  return hint === undefined ? how : `${hint}. ${how}`;
}

type TextField = Extract<FormField, { kind: 'text' }>;

function suggested(text: TextField, name: string, entry: Entry, { kind }: Option): TextField {
  const suggestedAs = entry.word === undefined ? name : `${entry.word} ${name}`;
  return { ...text, suggestedAs, ...(kind.many ? { many: true } : {}) };
}

/** A menu of the existing values. If the menu cannot hold all values, a text field is added beside the menu. */
async function menuOrText(text: TextField, name: string, option: Option, parts: FieldParts): Promise<Made> {
  const all = await choicesFor(name, option, parts);
  const { initial, lines: _, maxLength: _length, ...common } = text;
  const { abilities } = parts;
  const most = abilities.choices;
  const listed = all.slice(0, most);
  if (listed.length === 0) return { field: text };
  const isListed = initial === undefined || listed.some((one) => one.value === initial);
  const choices = isListed ? listed : [{ label: initial, value: initial }, ...listed].slice(0, most);
  const field = {
    ...common,
    kind: 'choice',
    choices,
    ...(initial === undefined ? {} : { initial }),
  } as const;
  if (all.length <= most) return { field };
  const label = `Another ${common.label.toLowerCase()}`;
  const hint = `The menu shows ${most} of ${all.length >= 100 ? 'many' : all.length}. What you type here counts.`;
  // The menu is optional, so that the person can leave the menu empty and type the value in the text field.
  return {
    field: { ...field, required: false },
    beside: { name: name + BESIDE, kind: 'text', lines: 'short', label, hint },
  };
}

/**
 * The choices of a menu. Empty if the choices are not known within `CHOICES_MS`. Throws InputError if no choices exist.
 */
export async function choicesFor(
  name: string,
  option: Option,
  { entry, given, abilities, suggesting }: FieldParts,
): Promise<readonly Choice[]> {
  const others = Object.fromEntries(Object.entries(given).filter(([one]) => one !== name));
  const about = { ...suggesting, typed: '', given: others, fields: option, options: entry.options };
  const choices = option.kind.field?.choices?.(about) ?? option.suggest?.(about) ?? Promise.resolve([]);
  const inTime = await within(suggesting.clock, CHOICES_MS, choices).catch((error: unknown) => {
    // If Edgegap does not answer, the person types the value instead of choosing.
    if (error instanceof InputError) throw error;
    return [];
  });
  const all = (inTime ?? []).map((one) => (typeof one === 'string' ? { label: one, value: one } : one));
  return all.filter(({ value }) => value !== '' && value.length <= abilities.value);
}
