import {
  type APILabelComponent,
  type APIModalInteractionResponseCallbackData,
  type APIModalSubmission,
  type APIStringSelectComponent,
  ComponentType,
  TextInputStyle,
} from 'discord-api-types/v10';
import { encodeActionId } from '../../chat/action-id.ts';
import type { Choice, Select } from '../../chat/card.ts';
import { inOneDirection } from '../../chat/direction.ts';
import type { Form, FormField, FormValues } from '../../chat/form.ts';
import { limits } from './limits.ts';

/**
 * Renders a form as a modal. Labels and hints that are too long are cut. Throws if a value is too long, or if the form
 * has more fields or choices than Discord accepts.
 */
export function renderForm(form: Form): APIModalInteractionResponseCallbackData {
  const { title, fields, submit } = inOneDirection(form);
  if (fields.length > limits.form.fields)
    throw new Error(`A form of ${fields.length} fields; Discord allows ${limits.form.fields}`);
  return {
    custom_id: encodeActionId(submit),
    title: cut(title, limits.form.title),
    components: fields.map(renderField),
  };
}

function renderField(field: FormField): APILabelComponent {
  const { name: custom_id, label, hint, required = false } = field;
  return {
    type: ComponentType.Label,
    label: cut(label, limits.form.label),
    ...(hint ? { description: cut(hint, limits.form.hint) } : {}),
    component: { custom_id, required, ...(field.kind === 'choice' ? menu(field) : textInput(field)) },
  };
}

function textInput({
  lines,
  maxLength = limits.form.text,
  placeholder,
  initial,
}: Extract<FormField, { kind: 'text' }>) {
  const max_length = Math.min(maxLength, limits.form.text);
  return {
    type: ComponentType.TextInput as const,
    style: lines === 'short' ? TextInputStyle.Short : TextInputStyle.Paragraph,
    max_length,
    ...(placeholder ? { placeholder: cut(placeholder, limits.form.placeholder) } : {}),
    ...(initial ? { value: cut(initial, max_length) } : {}),
  };
}

/** Renders a menu in a message. */
export function renderSelect({ placeholder, choices, action }: Select): APIStringSelectComponent {
  return { ...menu({ choices, placeholder }), custom_id: encodeActionId(action) };
}

/** Renders the suggestions for a person who is typing. Leaves out a suggestion whose value is too long. */
export function suggestedChoices(offered: readonly Choice[]) {
  const { choices, length } = limits.suggestions;
  const fitting = offered.filter(({ value }) => value.length <= length).slice(0, choices);
  return fitting.map(({ label, detail, value }) => {
    const end = detail ? ` (${detail})` : '';
    return { name: cut(label, length - end.length) + end, value };
  });
}

interface Menu {
  readonly choices: readonly Choice[];
  readonly initial?: string;
  readonly placeholder?: string;
}

function menu({ choices, initial, placeholder }: Menu) {
  if (choices.length > limits.select.choices)
    throw new Error(`A menu of ${choices.length} choices; Discord allows ${limits.select.choices}`);
  const long = choices.find(({ value }) => value.length > limits.select.value);
  if (long) throw new Error(`A choice's value is longer than ${limits.select.value}: ${long.value}`);
  const options = choices.map(({ label, detail, value }) => ({
    label: cut(label, limits.select.label),
    value,
    ...(detail ? { description: cut(detail, limits.select.label) } : {}),
    ...(value === initial ? { default: true } : {}),
  }));
  const shown = placeholder ? { placeholder: cut(placeholder, limits.select.placeholder) } : {};
  return { type: ComponentType.StringSelect as const, options, ...shown };
}

/**
 * Reads the submitted values. Discord sends an empty string for an empty text field, but no value for a menu in which
 * nothing was chosen.
 */
export function valuesOf({ components }: APIModalSubmission): FormValues {
  const values: Record<string, string> = {};
  for (const label of components) {
    if (label.type !== ComponentType.Label) continue;
    const { component: field } = label;
    const value = 'values' in field ? field.values[0] : field.value;
    if (typeof value === 'string' && value !== '') values[field.custom_id] = value;
  }
  return values;
}

export function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text;
}
