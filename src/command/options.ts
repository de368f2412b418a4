import type { Kind, OneOf, Option, OptionBase, Options } from './kinds/kind.ts';
import type { kinds } from './kinds/kinds.ts';

/** The kinds, by the names that command files use. */
export type Kinds = Readonly<Record<string, Kind>>;

type Known = typeof kinds;

/** An option in a command file: the name of a kind, and the fields that options of this kind have. */
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
  readonly [Name in keyof Specs]: Specs[Name] extends { required: true | 'or-preset'; unless?: undefined }
    ? ValueOf<Specs[Name]>
    : ValueOf<Specs[Name]> | undefined;
};

/** The first option of a command about a deployment. */
export const theDeployment = {
  kind: 'deployment',
  required: true,
  positional: true,
  label: 'Server',
  placeholder: 'Choose a server',
  description: 'A request_id, the beginning of a request_id, or an address',
} as const satisfies OptionSpec;

/** The option which says whether and where Edgegap stores the log of a stopped deployment. */
export const logStorageOption = {
  kind: 'string',
  maxLength: 100,
  suggest: async () => ['yes', 'no'],
  placeholder: 'The version decides',
  hint: 'yes, no, or the name of a log storage',
  description: 'Keep the log: yes, no, or the name of a log storage (the version decides if not given)',
} as const satisfies OptionSpec;

/** Converts the value of `logStorageOption` to `StopOptions.logStorage`. */
export function logStorageOf(given: string | undefined): boolean | string | undefined {
  if (given === undefined) return undefined;
  if (/^(true|yes|on)$/i.test(given)) return true;
  return /^(false|no|off)$/i.test(given) ? false : given;
}

/** In each option, replaces the name of the kind by the kind itself. */
export function withKinds(specs: OptionSpecs, known: Kinds): Options {
  const options = Object.entries(specs).map(([name, spec]): [string, Option] => {
    const kind = known[spec.kind] as Kind;
    return [name, { ...spec, kind, input: kind.input(spec), suggest: spec.suggest ?? kind.suggest }];
  });
  return Object.fromEntries(options);
}
