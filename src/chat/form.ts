import type { ActionRef, Choice } from './card.ts';

/**
 * A form with fields that a person fills in before the command runs. A platform shows the form in a separate window.
 */
export interface Form {
  readonly title: string;
  /** At least one field. `Capabilities.forms` has the maximum number for each platform. */
  readonly fields: readonly FormField[];
  /** The label of the submit button. Discord ignores this label and shows its own label. */
  readonly submitLabel: string;
  /** The code that receives the values. */
  readonly submit: ActionRef;
  /** Whether the answer to the form is posted publicly. The platform then needs to know a channel. */
  readonly posts?: boolean;
  /**
   * A button inside the form that shows the same form with more fields. Only platforms whose forms can change show the
   * button.
   */
  readonly more?: { readonly label: string; readonly action: ActionRef };
}

interface FieldBase {
  /** The key under which the submission holds the value. */
  readonly name: string;
  readonly label: string;
  /** A heading above this field and the fields that follow. Omitted on platforms that have no headings in forms. */
  readonly heading?: string;
  /** The text in the empty field: the default value, or an example. */
  readonly placeholder?: string;
  /** Small print shown with the field. */
  readonly hint?: string;
  readonly required?: boolean;
  /**
   * The field's value when the form opens. For a choice, this is the `value` of one of the choices. If the field takes
   * several values, each line holds one value.
   */
  readonly initial?: string;
}

export type FormField =
  | (FieldBase & {
      readonly kind: 'text';
      readonly lines: 'short' | 'paragraph';
      readonly maxLength?: number;
      /**
       * The option whose suggestions this field offers, on platforms that have suggestions in forms. For example, `map`
       * is an option of the form's command, and `add map` is an option of its subcommand `add`.
       */
      readonly suggestedAs?: string;
      /** Whether a person may pick several suggested values. In the submission, each line holds one value. */
      readonly many?: true;
    })
  | (FieldBase & { readonly kind: 'choice'; readonly choices: readonly Choice[] });

/** The values of a submitted form, by the names of the fields. A field left empty has no value. */
export type FormValues = Readonly<Record<string, string>>;
