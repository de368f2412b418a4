import type { Address } from '../../chat/port.ts';
import type { Catalog } from '../../deployments/catalog.ts';
import type { Deployments } from '../../deployments/deployments.ts';
import type { EdgegapApi } from '../../edgegap/client.ts';
import type { Payloads } from '../payloads.ts';

/** The fields of every option. `positional` options are typed without names, in order; other options as `--name value`. */
export interface OptionBase {
  /** At most 100 characters. */
  readonly description: string;
  readonly required?: boolean;
  readonly positional?: boolean;
  /** The name of an option that stands in for this required option. If that option is given, this option must be absent. */
  readonly unless?: string;
  /** Values to suggest while a person types, in place of the kind's own suggestions. */
  readonly suggest?: Kind['suggest'];
}

/** An option with its kind in place of the kind's name. Only the kind reads the further fields of its options. */
export interface Option extends OptionBase {
  readonly kind: Kind;
  readonly input: OptionInput;
}

/** The options of a command, by name. */
export type Options = Readonly<Record<string, Option>>;

/** A value as given, before it is checked: a string, or several strings for a list; true for a bare flag. */
export type RawValue = string | number | boolean | readonly string[];

/** How a platform can limit a value before the bot sees the value. */
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
    /** Names of private fleets, which no endpoint lists. */
    readonly fleets: readonly string[];
  };
  readonly payloads: Payloads;
  /** The place where the person asks. */
  readonly at: Address;
}

/** The information on which suggestions are based, while a person types. */
export interface SuggestionContext<Fields = object> extends Lookup {
  /** The text in the option so far. */
  readonly typed: string;
  /** The values of the other options, or of the form's other fields, so far and as typed. */
  readonly given: Readonly<Record<string, RawValue>>;
  /** The fields of the option itself. */
  readonly fields: Fields;
}

/** Fields of an option, with the option's name. */
type Named<Fields> = Fields & { readonly name: string };

/** The resolved values of the earlier options, by kind. */
export type FoundValues = ReadonlyMap<Kind, unknown>;

/**
 * A kind of option. This interface is all that help, the parsers, the platforms and the docs know about a kind. `Value`
 * is the type of the value that a command gets; `Fields` are the further fields of an option of this kind.
 */
export interface Kind<Value = unknown, Fields = object> {
  /** The word in a usage line, e.g. `city` in `--near <city>`; if left out, the option's name. */
  readonly placeholder?: string;
  /** True if the option takes several values: the person repeats the option, or separates the values with commas. */
  readonly many?: true;
  input(fields: Fields): OptionInput;
  /** Describes the mistake in the fields of an option in a command file; undefined if the fields are right. */
  problem?(about: Named<Fields>): string | undefined;
  /**
   * Checks the value by itself. This runs before any acknowledgement, so no service is asked. Returns the value, or a
   * string from which `resolve` makes the value. Throws InputError.
   */
  parse(given: RawValue, about: Named<Fields>, settings: ParseSettings): Value | string;
  /** Replaces a name by the named thing, e.g. a city by its location. Throws InputError with a hint at usable values. */
  resolve?(named: string, lookup: Lookup, found: FoundValues, about: Named<Fields>): Promise<Value>;
  /** A sentence that lists the possible values, for a missing required option whose values only Edgegap knows. */
  known?(lookup: Lookup, found: FoundValues): Promise<string>;
  /** Values to offer while a person types, best first. */
  suggest?(about: SuggestionContext<Fields>): Promise<readonly string[]>;
}

/** Used as a kind's `Value`: the value is any of the strings in that field of the option. */
export interface OneOf<Field extends string> {
  readonly field: Field;
}
