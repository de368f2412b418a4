import type { Address } from '../../chat/port.ts';
import type { Catalog } from '../../deployments/catalog.ts';
import type { Deployments } from '../../deployments/deployments.ts';
import type { EdgegapApi } from '../../edgegap/client.ts';
import type { Payloads } from '../payloads.ts';

/** Fields every option has. `positional` ones are typed without a name, in order; the others as `--name value`. */
export interface OptionBase {
  /** At most 100 characters. */
  readonly description: string;
  readonly required?: boolean;
  readonly positional?: boolean;
  /** Values to offer while somebody types, in place of what the kind offers. */
  readonly suggest?: Kind['suggest'];
}

/** An option with its kind in place of the kind's name. Fields that belong to the kind alone are the kind's to read. */
export interface Option extends OptionBase {
  readonly kind: Kind;
  readonly input: OptionInput;
}

/** The options of a command, by name. */
export type Options = Readonly<Record<string, Option>>;

/** A value as given, before it is checked: one string, or several for a list; true for a bare flag. */
export type RawValue = string | number | boolean | readonly string[];

/** What a platform can hold a value to before the bot sees the value. */
export type OptionInput =
  | { readonly type: 'text'; readonly maxLength: number }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'choice'; readonly choices: readonly string[] };

export interface ParseSettings {
  /** Longest tag, in characters. */
  readonly maxTagLength: number;
}

/** What a look-up works with. */
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
  /** Where the person asks. */
  readonly at: Address;
}

/** What values are offered from, while somebody types. */
export interface SuggestionContext<Fields = object> extends Lookup {
  /** What stands in the option so far. */
  readonly typed: string;
  /** What the other options, or fields of a form, hold so far: as typed. */
  readonly given: Readonly<Record<string, RawValue>>;
  /** The fields of the option itself. */
  readonly fields: Fields;
}

/** Fields of an option, with the option's name. */
type Named<Fields> = Fields & { readonly name: string };

/** What the options before this one were resolved to, by kind. */
export type FoundValues = ReadonlyMap<Kind, unknown>;

/**
 * One kind of option: all that help, the parsers, the platforms and the docs know of it. `Value` is what a command gets,
 * `Fields` are the fields that an option of this kind has of its own.
 */
export interface Kind<Value = unknown, Fields = object> {
  /** In a usage line, `--near <city>`; where left out, the option's name stands there. */
  readonly placeholder?: string;
  /** Several values, with the option repeated or with commas between the values. */
  readonly many?: true;
  input(fields: Fields): OptionInput;
  /** What is wrong with the fields themselves; undefined where they are in order. */
  problem?(about: Named<Fields>): string | undefined;
  /**
   * Checks the value by itself. Needs nothing but the value, so it comes before any acknowledgement. A string where
   * `resolve` makes the value of it. Throws InputError.
   */
  parse(given: RawValue, about: Named<Fields>, settings: ParseSettings): Value | string;
  /** Puts what exists in place of what was named. Throws InputError with what to use instead. */
  resolve?(named: string, lookup: Lookup, found: FoundValues, about: Named<Fields>): Promise<Value>;
  /** A sentence with what could be given, where Edgegap alone can say: for a required option that is missing. */
  known?(lookup: Lookup, found: FoundValues): Promise<string>;
  /** Values to offer while somebody types, best first. */
  suggest?(about: SuggestionContext<Fields>): Promise<readonly string[]>;
}

/** As a kind's `Value`: one of the strings in that field of the option. */
export interface OneOf<Field extends string> {
  readonly field: Field;
}
