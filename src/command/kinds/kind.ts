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
 * The fields of every option. `positional` options are typed in order, without their names. Other options are typed as
 * `--name value`.
 */
export interface OptionBase {
  /** At most 100 characters. */
  readonly description: string;
  /** `or-preset`: the value may come from a preset, so no platform insists on the value. */
  readonly required?: boolean | 'or-preset';
  readonly positional?: boolean;
  /** The name of an option that stands in for this required option. If that option is given, this option must be absent. */
  readonly unless?: string;
  /** Values to suggest while a person types. They replace the kind's own suggestions. */
  readonly suggest?: Kind['suggest'];
  /** Returns the part of a saved value that people may see. It replaces the function of the same name in the kind. */
  readonly shown?: Kind['shown'];
  /** The label in a form. If absent, the label is the name of the option. */
  readonly label?: string;
  /** The text in an empty field of a form: the value that then counts, or an example. */
  readonly placeholder?: string;
  /** The small print in a form. If there is neither a label nor a placeholder, the small print is the description. */
  readonly hint?: string;
  /** Whether a form asks for a text, because the value is almost always new, although there are suggestions. */
  readonly asText?: true;
  /** Whether the option has no field in a form that the command file does not lay out. */
  readonly noField?: true;
}

/**
 * An option that contains its kind instead of the kind's name. Any further fields of the option are read only by the
 * kind.
 */
export interface Option extends OptionBase {
  readonly kind: Kind;
  readonly input: OptionInput;
}

/** The options of a command, by name. */
export type Options = Readonly<Record<string, Option>>;

/**
 * A value as the person gave it, before it is checked. A string, or several strings for a list. `true` for an option
 * without a value.
 */
export type RawValue = string | number | boolean | readonly string[];

/** How a platform can limit a value before the bot receives the value. */
export type OptionInput =
  | { readonly type: 'text'; readonly maxLength: number }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'choice'; readonly choices: readonly string[] };

export interface ParseSettings {
  /** Longest tag, in characters. */
  readonly maxTagLength: number;
}

/** The parts of the bot that a look-up uses. */
export interface Lookup {
  readonly catalog: Catalog;
  readonly deployments: Deployments;
  readonly edgegap: EdgegapApi;
  readonly settings: {
    readonly applicationAllowlist: readonly string[] | undefined;
    /** The names of private fleets from the settings, because no endpoint lists fleets. */
    readonly fleets: readonly string[];
  };
  readonly payloads: Payloads;
  readonly presets: Presets;
  /** The channel or thread where the person asks. */
  readonly at: Address;
}

/** The information from which suggestions are made while a person types. */
export interface SuggestionContext<Fields = object> extends Lookup {
  /** The text that the person has typed into the option so far. */
  readonly typed: string;
  /** The present values of the other options, or of the other fields of the form, as the person typed them. */
  readonly given: Readonly<Record<string, RawValue>>;
  /** The fields of the option itself. */
  readonly fields: Fields;
  /** All options of the command. */
  readonly options: Options;
  readonly roster: Roster;
  readonly clock: Clock;
}

/** Fields of an option, with the option's name. */
type Named<Fields> = Fields & { readonly name: string };

/** The resolved values of the earlier options, by kind. */
export type FoundValues = ReadonlyMap<Kind, unknown>;

/**
 * A kind of option. Help, the parsers, the platforms and the docs know a kind only through this interface. `Value` is
 * the type of the value that a command gets. `Fields` are the further fields of an option of this kind.
 */
export interface Kind<Value = unknown, Fields = object> {
  /**
   * The word in a usage line, for example `city` in `--near <city>`. If absent, the usage line shows the name of the
   * option.
   */
  readonly placeholder?: string;
  /** True if the option takes several values. The person repeats the option, or separates the values. */
  readonly many?: true;
  /** True if a value must be shown to nobody, not even in an error message. */
  readonly secret?: true;
  /** True if the value is only asked for in a form, so that no chat ever shows the value. */
  readonly onlyInForm?: true;
  /** How the option looks in a form. If absent, the look follows from `input` and `suggest`. */
  readonly field?: FieldLook<Fields>;
  /** A word that begins with this character is a value of this kind, wherever the word stands: `@qa`. */
  readonly mark?: string;
  input(fields: Fields): OptionInput;
  /** Describes a mistake in the fields of an option in a command file. Undefined if the fields are right. */
  problem?(about: Named<Fields>): string | undefined;
  /**
   * Checks the value by itself. This runs before any acknowledgement, so no service may be asked. Returns the value, or
   * a string from which `resolve` makes the value. Throws InputError.
   */
  parse(given: RawValue, about: Named<Fields>, settings: ParseSettings): Value | string;
  /**
   * Replaces a name by the thing that has the name, for example a city's name by its location. Throws InputError with a
   * hint that lists values which can be used.
   */
  resolve?(named: string, lookup: Lookup, found: FoundValues, about: Named<Fields>): Promise<Value>;
  /**
   * Returns the values of other options for which this value stands. If the person also gives one of these options, the
   * value from the person counts.
   */
  expand?(value: Value, lookup: Lookup): Promise<Readonly<Record<string, RawValue>>>;
  /** Returns the exact name of a thing, to be saved in a preset. Without this function, a preset keeps the value as typed. */
  exact?(value: Value): string;
  /**
   * The part of a saved value that people may see, for a kind whose values may be secret. If left out, people see the
   * whole value.
   */
  shown?(given: RawValue): string;
  /**
   * A sentence that lists the possible values. It is shown if a required option is missing and only Edgegap knows its
   * possible values.
   */
  known?(lookup: Lookup, found: FoundValues): Promise<string>;
  /**
   * Values to offer while a person types. The best value comes first. A platform shows a string as it is. For a choice,
   * a platform shows the label and the detail.
   */
  suggest?(about: SuggestionContext<Fields>): Promise<readonly (string | Choice)[]>;
}

/** How an option looks in a form. */
export interface FieldLook<Fields = object> {
  readonly lines?: 'paragraph';
  /** Whether a person almost always picks a suggested value, and rarely types another value. */
  readonly closed?: true;
  /** The text between two values that stand in one text field. */
  readonly separator?: string;
  /**
   * The choices for a menu whose choices are fixed when the menu is shown. If absent, these are the suggestions. Throws
   * InputError if there is nothing to choose from.
   */
  choices?(about: SuggestionContext<Fields>): Promise<readonly Choice[]>;
  /** The small print at a field that opens with a value, in place of the usual small print. At most 100 characters. */
  readonly filledHint?: string;
  /**
   * Reads the text of the field. `before` is the value with which the form opened. If absent, the text itself is the
   * value.
   */
  read?(text: string, before: RawValue | undefined): RawValue;
  /**
   * Writes the text of the field, when the form opens with a value. Undefined if `read` would make another value of any
   * text.
   */
  write?(given: RawValue): string | undefined;
}

/** Used as the `Value` of a kind. The value is then any of the strings in the field `Field` of the option. */
export interface OneOf<Field extends string> {
  readonly field: Field;
}
