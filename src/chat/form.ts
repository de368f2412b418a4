import type { ActionRef, Choice } from './card.ts';

/**
 * A form with fields that a person fills in before the command runs. Each platform shows a form in a window of its own.
 */
export interface Form {
  readonly title: string;
  /** At least one field, and at most as many as the platform allows: see `Capabilities.forms`. */
  readonly fields: readonly FormField[];
  /** The label of the submit button. Discord ignores this label and shows a label of its own. */
  readonly submitLabel: string;
  /** The code that receives the values. */
  readonly submit: ActionRef;
  /** Whether the answer to the form is posted for everybody, so that the platform has to know a channel. */
  readonly posts?: boolean;
  /** A button inside the form that shows the same form with more fields. Only for platforms whose forms can change. */
  readonly more?: { readonly label: string; readonly action: ActionRef };
}

interface FieldBase {
  /** The key under which the submission holds the value. */
  readonly name: string;
  readonly label: string;
  /** A heading above this field and the fields that follow. Platforms without headings in forms leave the heading out. */
  readonly heading?: string;
  /** The text in the field as long as the field is empty: the value that then counts, or an example. */
  readonly placeholder?: string;
  /** Small print shown with the field. */
  readonly hint?: string;
  readonly required?: boolean;
  /**
   * The field's value when the form opens. For a choice, this is the `value` of one of the choices. If the field takes
   * several values, each value stands on a line of its own.
   */
  readonly initial?: string;
}

export type FormField =
  | (FieldBase & {
      readonly kind: 'text';
      readonly lines: 'short' | 'paragraph';
      readonly maxLength?: number;
      /**
       * The option that supplies the suggestions for this field, on platforms that have suggestions in forms: `map` for
       * an option of the form's command, or `add map` for an option of its subcommand `add`.
       */
      readonly suggestedAs?: string;
      /** Whether a person may pick several suggested values. The submission holds each value on a line of its own. */
      readonly many?: true;
    })
  | (FieldBase & { readonly kind: 'choice'; readonly choices: readonly Choice[] });

/** The values of a submitted form, by the names of the fields. A field left empty has no value. */
export type FormValues = Readonly<Record<string, string>>;
