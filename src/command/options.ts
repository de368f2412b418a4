import type { Kind, OneOf, Option, OptionBase, Options } from './kinds/kind.ts';
import type { kinds } from './kinds/kinds.ts';

/** Kinds by the names that a command file uses. */
export type Kinds = Readonly<Record<string, Kind>>;

type Known = typeof kinds;

/** An option in a command file. It has the name of a kind, and the fields that options of this kind have. */
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

/** The deployment that a command is about, as the first option of the command. */
export const theDeployment = {
  kind: 'deployment',
  required: true,
  positional: true,
  label: 'Server',
  placeholder: 'Choose a server',
  description: 'A request_id, the beginning of a request_id, or an address',
} as const satisfies OptionSpec;

/** What Edgegap does with the log of a deployment that stops. */
export const logStorageOption = {
  kind: 'string',
  maxLength: 100,
  suggest: async () => ['yes', 'no'],
  placeholder: 'The version decides',
  hint: 'yes, no, or the name of a log storage',
  description: 'Keep the log: yes, no, or the name of a log storage (the version decides if not given)',
} as const satisfies OptionSpec;

/** The value of `logStorageOption`, as `StopOptions.logStorage`. */
export function logStorageOf(given: string | undefined): boolean | string | undefined {
  if (given === undefined) return undefined;
  if (/^(true|yes|on)$/i.test(given)) return true;
  return /^(false|no|off)$/i.test(given) ? false : given;
}

/** Replaces the name of each option's kind by the kind. */
export function withKinds(specs: OptionSpecs, known: Kinds): Options {
  const options = Object.entries(specs).map(([name, spec]): [string, Option] => {
    const kind = known[spec.kind] as Kind;
    return [name, { ...spec, kind, input: kind.input(spec), suggest: spec.suggest ?? kind.suggest }];
  });
  return Object.fromEntries(options);
}
