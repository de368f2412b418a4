import type { FormValues } from '../../chat/form.ts';
import type { FormAbilities } from '../../chat/port.ts';
import { InputError } from '../../errors.ts';
import { quoted, type RawValues } from '../argv.ts';
import { DOTS } from '../kinds/dots.ts';
import type { Option, Options, RawValue } from '../kinds/kind.ts';

/** The suffix in the name of a text field beside a menu. A text in this field replaces the choice in the menu. */
export const BESIDE = '.other';

/**
 * The values of the options in a submitted form. A field that belongs to no option is ignored. `before` holds the
 * values with which the form opened. A field that contains only dots (see `DOTS`) gets its value from `before`.
 */
export function valuesIn(fields: FormValues, options: Options, before: RawValues = {}): RawValues {
  const values: Record<string, RawValue> = {};
  // The text field beside a menu comes last. If the person both picks a value and types a text, the text replaces the
  // value.
  const sorted = Object.entries(fields).toSorted(
    ([a], [b]) => Number(a.endsWith(BESIDE)) - Number(b.endsWith(BESIDE)),
  );
  for (const [field, text] of sorted) {
    const name = optionOf(field);
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option && text.trim() !== '') values[name] = readField(text, option, before[name]);
  }
  return values;
}

/**
 * The values, without fields that contain only dots (see `DOTS`). Used if the bot no longer knows the values that the
 * dots represent.
 */
export function withoutDots(values: RawValues): RawValues {
  const isDots = (value: unknown) =>
    typeof value === 'string' && value.replace(/^[^=]*=/, '').trim() === DOTS;
  const rest = Object.entries(values).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.filter((one) => !isDots(one)) : value,
  ]);
  return Object.fromEntries(rest.filter(([, value]) => !isDots(value) && [value].flat().length > 0));
}

/** The error for a form with a field that the command no longer has. Undefined if the command has all fields. */
export function outdatedField(fields: FormValues, options: Options): InputError | undefined {
  const gone = Object.keys(fields).find((field) => !Object.hasOwn(options, optionOf(field)));
  if (gone === undefined) return undefined;
  return new InputError('form-outdated', `This form has the field ${quoted(gone)}, which I no longer know.`, {
    hint: 'Nothing was done. The form is from an older version of me: open the form again.',
  });
}

/** The option to which a field belongs. A menu and the text field beside the menu belong to the same option. */
function optionOf(field: string): string {
  return field.endsWith(BESIDE) ? field.slice(0, -BESIDE.length) : field;
}

function readField(text: string, { kind }: Option, before: RawValue | undefined): RawValue {
  if (before !== undefined && text.trim() === DOTS) return before;
  if (kind.field?.read) return kind.field.read(text, before);
  return kind.many && text.includes('\n') ? text.split('\n').filter((line) => line.trim() !== '') : text;
}

/**
 * The earlier values that a page of the form does not show. The submitted page must not replace these values. If a menu
 * does not contain the earlier value, the value stays until the person chooses from the menu.
 */
export function withoutShown(
  given: RawValues,
  shown: readonly string[],
  options: Options,
  abilities: FormAbilities | undefined,
): RawValues {
  const stays = (name: string, value: RawValue, option: Option) =>
    !shown.includes(name) || !abilities || initialText(value, option, abilities) === undefined;
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => {
      const option = options[name];
      return option && stays(name, value, option);
    }),
  );
}

/**
 * The text with which the field of an option opens. If a text field cannot show the value, the field shows dots instead
 * (see `DOTS`). Undefined if the field is a menu that does not contain the value.
 */
export function initialText(given: RawValue, option: Option, abilities: FormAbilities): string | undefined {
  return shownText(given, option, abilities) ?? (isMenu(option, abilities) ? undefined : DOTS);
}

/** Whether the form shows the option as a menu. */
function isMenu({ kind, input, suggest, asText }: Option, abilities: FormAbilities): boolean {
  if (input.type === 'boolean' || input.type === 'choice') return true;
  return suggest !== undefined && !asText && (abilities.live || kind.field?.closed === true);
}

/**
 * The text by which a field shows exactly this value. Undefined if the value is too long, if the menu does not contain
 * the value, or if the bot would read the text as a different value.
 */
export function shownText(given: RawValue, option: Option, abilities: FormAbilities): string | undefined {
  const { kind, input } = option;
  const text = kind.field?.write ? kind.field.write(given) : writeField(given, option);
  if (text === undefined) return undefined;
  const choices =
    input.type === 'boolean' ? ['yes', 'no'] : input.type === 'choice' ? input.choices : undefined;
  if (choices) return choices.includes(text) ? text : undefined;
  if (isMenu(option, abilities)) {
    const items = kind.many && abilities.live ? itemsOf(given, option) : [text];
    const fits = items.length <= abilities.choices && items.every(({ length }) => length <= abilities.value);
    return fits ? items.join('\n') : undefined;
  }
  const most = input.type === 'text' ? Math.min(input.maxLength, abilities.text) : abilities.text;
  const isBroken = kind.field?.lines !== 'paragraph' && /[\r\n]/.test(text);
  return text.length > most || isBroken ? undefined : text;
}

/** The single values of an option that takes several values. */
function itemsOf(given: RawValue, { kind }: Option): string[] {
  const separator = kind.field?.separator?.trim() ?? ',';
  const items = [given].flat().flatMap((one) => String(one).split(separator));
  return items.map((one) => one.trim()).filter((one) => one !== '');
}

/** The value as a text for people. */
export function writeField(given: RawValue, { kind }: Option): string {
  if (typeof given === 'boolean') return given ? 'yes' : 'no';
  return [given]
    .flat()
    .map(String)
    .join(kind.field?.separator ?? ', ');
}

/**
 * The first required option that has no value and cannot get a value from a preset. Undefined if there is no such
 * option.
 */
export function lacking(options: Options, given: RawValues): string | undefined {
  const isGiven = (name: string) => given[name] !== undefined;
  const expands = Object.entries(options).some(([name, { kind }]) => kind.expand && isGiven(name));
  return Object.entries(options).find(([name, { required, unless }]) => {
    if (!required || isGiven(name) || (unless !== undefined && isGiven(unless))) return false;
    return required === true || !expands;
  })?.[0];
}
