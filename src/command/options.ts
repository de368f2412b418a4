import type { Question } from '../chat/port.ts';
import type { Catalog } from '../deployments/catalog.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { Location } from '../edgegap/schema.ts';

/** Fields every option has. `positional` ones are typed without a name, in order; the others as `--name value`. */
interface OptionBase {
  /** At most 100 characters. */
  readonly description: string;
  readonly required?: boolean;
  readonly positional?: boolean;
  /** Values to offer while somebody types. */
  suggest?(question: SuggestContext): Promise<readonly string[]>;
}

/** What suggestions are made from. */
export interface SuggestContext extends Pick<Question, 'at' | 'typed' | 'given'> {
  readonly catalog: Catalog;
  readonly deployments: Deployments;
}

/** What kinds of option there are. The domain kinds bring their own validation against what exists. */
export type OptionSpec =
  | (OptionBase & { readonly kind: 'string'; readonly maxLength?: number })
  | (OptionBase & { readonly kind: 'integer'; readonly min: number; readonly max: number })
  | (OptionBase & { readonly kind: 'boolean' })
  | (OptionBase & { readonly kind: 'choice'; readonly choices: readonly string[] })
  /** Several values: repeat the option, or separate them with commas. */
  | (OptionBase & { readonly kind: 'list'; readonly of: 'ip' | 'tag' })
  | (OptionBase & { readonly kind: 'application' })
  | (OptionBase & { readonly kind: 'version' })
  | (OptionBase & { readonly kind: 'deployment' })
  | (OptionBase & { readonly kind: 'location' })
  | (OptionBase & { readonly kind: 'tag' });

/** The deployment a command is about, its first option. */
export const theDeployment = {
  kind: 'deployment',
  required: true,
  positional: true,
  description: 'Its request_id, or the beginning of it',
} as const satisfies OptionSpec;

export type OptionKind = OptionSpec['kind'];

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type ValueOf<Spec extends OptionSpec> = Spec extends { kind: 'integer' }
  ? number
  : Spec extends { kind: 'boolean' }
    ? boolean
    : Spec extends { kind: 'choice'; choices: readonly (infer Choice)[] }
      ? Choice
      : Spec extends { kind: 'list' }
        ? readonly string[]
        : Spec extends { kind: 'deployment' }
          ? DeploymentTarget
          : Spec extends { kind: 'location' }
            ? Location
            : string;

/** The parsed options of a command, by name. */
export type OptionsOf<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends { required: true }
    ? ValueOf<Specs[Name]>
    : ValueOf<Specs[Name]> | undefined;
};

/** How an option reads in help and usage lines: `<application>`, `[--near <city>]`. */
export function usageOf(name: string, spec: OptionSpec): string {
  const shown = spec.positional ? positionalUsage(name, spec) : namedUsage(name, spec);
  return spec.required ? shown : `[${shown}]`;
}

function positionalUsage(name: string, spec: OptionSpec): string {
  return spec.kind === 'choice' ? spec.choices.join('|') : `<${name}>`;
}

function namedUsage(name: string, spec: OptionSpec): string {
  if (spec.kind === 'boolean') return `--${name}`;
  return `--${name} <${spec.kind === 'choice' ? name : placeholders[spec.kind]}>`;
}

const placeholders: Readonly<Record<Exclude<OptionKind, 'choice'>, string>> = {
  string: 'text',
  integer: 'number',
  boolean: '',
  list: 'a,b',
  application: 'application',
  version: 'version',
  deployment: 'request_id',
  location: 'city',
  tag: 'tag',
};
