import type { FormValues } from '../../chat/form.ts';
import { InputError } from '../../errors.ts';
import { quoted, type RawValues } from '../argv.ts';
import type { Option, Options, RawValue } from '../kinds/kind.ts';

/** The end of the name of a text field beside a menu. The typed text then replaces the choice. */
export const BESIDE = '.other';

/** The values of a submitted form, as values of the options. A field without an option is left out. */
export function valuesIn(fields: FormValues, options: Options): RawValues {
  const values: Record<string, RawValue> = {};
  // The text beside a menu comes last, because the text counts.
  const sorted = Object.entries(fields).toSorted(
    ([a], [b]) => Number(a.endsWith(BESIDE)) - Number(b.endsWith(BESIDE)),
  );
  for (const [field, text] of sorted) {
    const name = optionOf(field);
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option && text.trim() !== '') values[name] = readField(text, option);
  }
  return values;
}

/** The refusal of a form with a field that the command no longer has. Undefined if the command has all fields. */
export function outdatedField(fields: FormValues, options: Options): InputError | undefined {
  const gone = Object.keys(fields).find((field) => !Object.hasOwn(options, optionOf(field)));
  if (gone === undefined) return undefined;
  return new InputError('form-outdated', `This form has the field ${quoted(gone)}, which I no longer know.`, {
    hint: 'Nothing was done. The form is from an older version of me: open the form again.',
  });
}

/** The option of a field, also of the text field beside a menu. */
function optionOf(field: string): string {
  return field.endsWith(BESIDE) ? field.slice(0, -BESIDE.length) : field;
}

function readField(text: string, { kind }: Option): RawValue {
  if (kind.field?.read) return kind.field.read(text);
  return kind.many && text.includes('\n') ? text.split('\n').filter((line) => line.trim() !== '') : text;
}

/**
 * The values from before that a page of the form does not show, so that the submitted page does not replace them. Hidden
 * values are never shown, so they stay until the person enters others.
 */
export function withoutShown(given: RawValues, shown: readonly string[], options: Options): RawValues {
  const stays = (name: string) => !shown.includes(name) || options[name]?.kind.onlyInForm;
  return Object.fromEntries(Object.entries(given).filter(([name]) => options[name] && stays(name)));
}

/** A value as the field shows it when the form opens. */
export function writeField(given: RawValue, { kind }: Option): string {
  if (kind.field?.write) return kind.field.write(given);
  if (typeof given === 'boolean') return given ? 'yes' : 'no';
  return [given]
    .flat()
    .map(String)
    .join(kind.field?.separator ?? ', ');
}

/**
 * The given values, and of the values from a preset those that everybody may see. The other values of the preset may be
 * secret. They count all the same, because the preset itself is among the given values.
 */
export function openly(all: RawValues, given: RawValues, options: Options): RawValues {
  const isOpen = (name: string) => !(options[name]?.shown ?? options[name]?.kind.shown);
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => given[name] !== undefined || isOpen(name)),
  );
}

/** The first required option without a value. Undefined if each required option has a value, or may get the value from a preset. */
export function lacking(options: Options, given: RawValues): string | undefined {
  const isGiven = (name: string) => given[name] !== undefined;
  const expands = Object.entries(options).some(([name, { kind }]) => kind.expand && isGiven(name));
  return Object.entries(options).find(([name, { required, unless }]) => {
    if (!required || isGiven(name) || (unless !== undefined && isGiven(unless))) return false;
    return required === true || !expands;
  })?.[0];
}
