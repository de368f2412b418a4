import type { Kind, OneOf, Option, OptionBase, Options } from './kinds/kind.ts';
import type { kinds } from './kinds/kinds.ts';

/** Kinds by the names that a command gives them. */
export type Kinds = Readonly<Record<string, Kind>>;

type Known = typeof kinds;

/** An option as a command file writes it: the name of a kind, and the fields that options of that kind have. */
export type OptionSpec = {
  readonly [Name in keyof Known]: OptionBase & { readonly kind: Name } & FieldsOf<Known[Name]>;
}[keyof Known];

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type FieldsOf<Given> = Given extends Kind<infer _, infer Fields> ? Fields : never;

type ValueOf<Spec extends OptionSpec> =
  Known[Spec['kind']] extends Kind<infer Value, infer _>
    ? Value extends OneOf<infer Field>
      ? Spec extends Readonly<Record<Field, readonly (infer Choice)[]>>
        ? Choice
        : never
      : Value
    : never;

/** The parsed options of a command, by name. */
export type OptionsOf<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends { required: true }
    ? ValueOf<Specs[Name]>
    : ValueOf<Specs[Name]> | undefined;
};

/** The deployment a command is about, its first option. */
export const theDeployment = {
  kind: 'deployment',
  required: true,
  positional: true,
  description: 'Its request_id, the beginning of it, or its address',
} as const satisfies OptionSpec;

/** Puts each kind in place of its name. */
export function withKinds(specs: OptionSpecs, known: Kinds): Options {
  const options = Object.entries(specs).map(([name, spec]): [string, Option] => {
    const kind = known[spec.kind] as Kind;
    return [name, { ...spec, kind, input: kind.input(spec), suggest: spec.suggest ?? kind.suggest }];
  });
  return Object.fromEntries(options);
}
