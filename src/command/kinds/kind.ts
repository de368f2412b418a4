import type { Choice } from '../../chat/card.ts';
import type { Address } from '../../chat/port.ts';
import type { Clock } from '../../clock.ts';
import type { Catalog } from '../../deployments/catalog.ts';
import type { Deployments } from '../../deployments/deployments.ts';
import type { EdgegapApi } from '../../edgegap/client.ts';
import type { Payloads } from '../payloads.ts';
import type { Presets } from '../presets.ts';
import type { Roster } from '../roster.ts';

/**
 * The fields that every option has. People type `positional` options in order and without names. People type all other
 * options as `--name value`.
 */
export interface OptionBase {
  /** At most 100 characters. */
  readonly description: string;
  /**
   * `or-preset`: the option is required, but the value may come from a preset. Therefore the platforms treat the option
   * as optional.
   */
  readonly required?: boolean | 'or-preset';
  readonly positional?: boolean;
  /** The name of an option that replaces this required option. A person must not give the two options together. */
  readonly unless?: string;
  /** Returns the values to suggest while a person types. Replaces the suggestions of the kind. */
  readonly suggest?: Kind['suggest'];
  /** Returns the part of a saved value that people may see. Replaces the function `shown` of the kind. */
  readonly shown?: Kind['shown'];
  /** The label in a form. If absent, the label is the name of the option. */
  readonly label?: string;
  /** The text in an empty field of a form: an example, or the value that an empty field stands for. */
  readonly placeholder?: string;
  /**
   * The hint below a field of a form. An option without hint, label and placeholder shows the description as the hint.
   */
  readonly hint?: string;
  /**
   * Whether a form shows a text field instead of a menu. Used for an option with suggestions whose value is almost
   * always new.
   */
  readonly asText?: true;
  /** Whether the option is left out of the form of a command without `layout`. */
  readonly noField?: true;
}

/**
 * An option that contains the kind itself instead of the kind's name. An option may have further fields, which only the
 * kind reads.
 */
export interface Option extends OptionBase {
  readonly kind: Kind;
  readonly input: OptionInput;
}

/** The options of a command, by name. */
export type Options = Readonly<Record<string, Option>>;

/**
 * A value as the person typed or picked it, before the bot checks it. An option that takes several values may have an
 * array of strings. An option without a value has `true`.
 */
export type RawValue = string | number | boolean | readonly string[];

/** How a platform limits the value that a person can enter. */
export type OptionInput =
  | { readonly type: 'text'; readonly maxLength: number }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'choice'; readonly choices: readonly string[] };

export interface ParseSettings {
  /** The maximum length of a tag, in characters. */
  readonly maxTagLength: number;
}

/** The parts of the bot with which a kind looks up a value. */
export interface Lookup {
  readonly catalog: Catalog;
  readonly deployments: Deployments;
  readonly edgegap: EdgegapApi;
  readonly settings: {
    readonly applicationAllowlist: readonly string[] | undefined;
    /** The names of private fleets from the settings. Edgegap has no endpoint that lists fleets. */
    readonly fleets: readonly string[];
  };
  readonly payloads: Payloads;
  readonly presets: Presets;
  /** The channel or thread in which the person sent the request. */
  readonly at: Address;
}

/** The information from which suggestions are made while a person types. */
export interface SuggestionContext<Fields = object> extends Lookup {
  /** The text that the person has typed into the option so far. */
  readonly typed: string;
  /** The current values of the other options or form fields, as the person typed them. */
  readonly given: Readonly<Record<string, RawValue>>;
  /** The fields of the option itself. */
  readonly fields: Fields;
  /** All options of the command. */
  readonly options: Options;
  readonly roster: Roster;
  readonly clock: Clock;
}

/** The fields of an option, together with the option's name. */
type Named<Fields> = Fields & { readonly name: string };

/** The resolved values of the options that come earlier in the command, by kind. */
export type FoundValues = ReadonlyMap<Kind, unknown>;

/**
 * A kind of option. The help, the parsers, the platforms and the docs use a kind only through this interface. `Value`
 * is the type of the value that a command gets. `Fields` is the type of the further fields in an option of this kind.
 */
export interface Kind<Value = unknown, Fields = object> {
  /**
   * The word in a usage line, for example `city` in `--near <city>`. If absent, the usage line shows the name of the
   * option.
   */
  readonly placeholder?: string;
  /** True if the option takes several values. The person repeats the option, or separates the values. */
  readonly many?: true;
  /** True if the bot must never show the value, not even in an error message. */
  readonly secret?: true;
  /** True if people can enter the value only in a form, so that the value never appears in the chat. */
  readonly onlyInForm?: true;
  /** How the option looks in a form. If absent, `input` and `suggest` determine the field. */
  readonly field?: FieldLook<Fields>;
  /**
   * A word that begins with this character is a value of this kind, at any position in the command. For example, `@qa`
   * is a preset.
   */
  readonly mark?: string;
  input(fields: Fields): OptionInput;
  /** Describes an error in the fields of an option in a command file. Undefined if the fields are valid. */
  problem?(about: Named<Fields>): string | undefined;
  /**
   * Checks the syntax of the value. Must not ask any service, because the bot calls `parse` before the acknowledgement.
   * Returns the value, or a string from which `resolve` makes the value. Throws InputError.
   */
  parse(given: RawValue, about: Named<Fields>, settings: ParseSettings): Value | string;
  /**
   * Replaces a name by the named thing, for example the name of a city by a location. Throws InputError with a hint
   * that lists possible values.
   */
  resolve?(named: string, lookup: Lookup, found: FoundValues, about: Named<Fields>): Promise<Value>;
  /**
   * Returns the values that this value gives to other options, for example the options of a preset. A value that the
   * person gives has priority.
   */
  expand?(value: Value, lookup: Lookup): Promise<Readonly<Record<string, RawValue>>>;
  /**
   * Returns the exact name of a thing, which is then saved in a preset. Without this function, a preset contains the
   * value as the person typed it.
   */
  exact?(value: Value): string;
  /**
   * Returns the part of a saved value that people may see, for a kind whose values may be secret. If absent, people see
   * the whole value.
   */
  shown?(given: RawValue): string;
  /**
   * Returns a sentence with the possible values, for an error about a missing required option. Only for kinds whose
   * possible values come from Edgegap.
   */
  known?(lookup: Lookup, found: FoundValues): Promise<string>;
  /**
   * Returns the values to suggest while a person types, with the best value first. A platform shows a string unchanged.
   * For a choice, a platform shows the label and the detail.
   */
  suggest?(about: SuggestionContext<Fields>): Promise<readonly (string | Choice)[]>;
}

/** How an option looks in a form. */
export interface FieldLook<Fields = object> {
  readonly lines?: 'paragraph';
  /** Whether a person almost always picks one of the suggested values. */
  readonly closed?: true;
  /** The text between two values in the same text field. */
  readonly separator?: string;
  /**
   * Returns the choices for a menu that cannot change after the platform has shown it. If absent, the choices are the
   * suggestions. Throws InputError if there are no choices.
   */
  choices?(about: SuggestionContext<Fields>): Promise<readonly Choice[]>;
  /** The hint below a field that opens with a value. Replaces the usual hint. At most 100 characters. */
  readonly filledHint?: string;
  /**
   * Returns the value for the text of the field. `before` is the value with which the form opened. If `read` is absent,
   * the text itself is the value.
   */
  read?(text: string, before: RawValue | undefined): RawValue;
  /**
   * Returns the text of a field that opens with a value. Undefined if there is no text from which `read` would make the
   * same value.
   */
  write?(given: RawValue): string | undefined;
}

/** If a kind has this type as its `Value`, the value is any of the strings in the option's field `Field`. */
export interface OneOf<Field extends string> {
  readonly field: Field;
}
