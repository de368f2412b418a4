import type { ActionRef, Choice } from './card.ts';

/** Questions to a person, asked before anything is done. Each platform shows a form in a window of its own. */
export interface Form {
  readonly title: string;
  /** At least one field. Discord allows at most five. */
  readonly fields: readonly FormField[];
  /** The label of the submit button. Discord ignores this label and shows a label of its own. */
  readonly submitLabel: string;
  /** The code that receives the values: an entry among the `forms` of a command. */
  readonly submit: ActionRef;
}

interface FieldBase {
  /** The key under which the submission holds the value. */
  readonly name: string;
  readonly label: string;
  /** Small print shown with the field. */
  readonly hint?: string;
  readonly required?: boolean;
  /** The field's value when the form opens. For a choice, this is the `value` of one of the choices. */
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
    })
  | (FieldBase & { readonly kind: 'choice'; readonly choices: readonly Choice[] });

/** The values of a submitted form, by the names of the fields. A field left empty has no value. */
export type FormValues = Readonly<Record<string, string>>;
