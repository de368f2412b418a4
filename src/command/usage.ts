import { InputError } from '../errors.ts';
import type { Option, Options } from './kinds/kind.ts';

/**
 * The text `Use:` and the usage line of the command. The backticks mark the usage line as a command for `withTyped`.
 */
export function usageHint(command: string, options: Options): string {
  return `Use: \`${usage(command, options)}\``;
}

export function usage(command: string, options: Options): string {
  const typed = Object.entries(options).filter(([, { kind }]) => !kind.onlyInForm);
  return [command, ...typed.map(([name, option]) => usageOf(name, option))].join(' ');
}

/** The text for an option in the help and in usage lines, for example `<application>` or `[--near <city>]`. */
function usageOf(name: string, { kind, input, required, positional, unless }: Option): string {
  let shown = input.type === 'boolean' ? `--${name}` : `--${name} <${kind.placeholder ?? name}>`;
  if (positional) shown = input.type === 'choice' ? input.choices.join('|') : `<${name}>`;
  return required && unless === undefined ? shown : `[${shown}]`;
}

export function excluded(name: string, unless: string, command: string, options: Options): InputError {
  return new InputError('option-excluded', `${name} and ${unless} exclude each other.`, {
    hint: `Give only one of them. ${usageHint(command, options)}`,
    option: name,
  });
}

/** The error for a command or option that the platform still offers but the bot no longer has. */
export function stale(problem: string): InputError {
  return new InputError('option-stale', problem, {
    hint: 'My commands have changed since they were registered here. Whoever runs me can run: npm run register',
  });
}

/** `known` is a sentence that lists the possible values. */
export function argumentMissing(name: string, command: string, options: Options, known = ''): InputError {
  const { description = '' } = options[name] ?? {};
  const what = description.charAt(0).toLowerCase() + description.slice(1);
  const article = /^[aeiou]/.test(name) ? 'an' : 'a';
  return new InputError('argument-missing', `${command} needs ${article} ${name}: ${what}.`, {
    hint: `${known} ${usageHint(command, options)}`.trim(),
    option: name,
    missing: true,
  });
}
