import type { InvocationRequest } from '../chat/port.ts';
import type { Directory } from './define.ts';
import { application } from './kinds/application.ts';
import { deployment } from './kinds/deployment.ts';
import type { Kind, Options } from './kinds/kind.ts';
import { version } from './kinds/version.ts';

/** The message of the log line at the end of each invocation. */
export const ENDED = 'invocation: ended';

/** The maximum number of characters of a name in the log. Real names are shorter. */
const SHOWN = 64;
/**
 * The kinds of options whose values the log may contain. The log must not contain, for example, tags or players'
 * addresses.
 */
const NAMING: ReadonlySet<Kind> = new Set([application, version, deployment]);

/** The description of a person's request in the log. */
export interface RequestSummary {
  /** For example `stop`, or `stop:confirm` for a button or form. */
  readonly command: string;
  /** The deployment or application that the request names. */
  readonly target: string | undefined;
}

/** Describes a request that the bot has not checked yet. */
export function summaryOf(request: InvocationRequest, directory: Directory): RequestSummary {
  if (request.kind === 'message') return { command: short(request.entry), target: undefined };
  if (request.kind !== 'command') {
    // The bot cannot read the id of some buttons and forms that a different version of the bot made.
    const { command = '?', action = '?', arg = '' } = request.action ?? {};
    // The argument may be a request_id, followed by a dot and further text. A number of at most five digits before a
    // dot is the number of a page.
    const [target] = /^\w+$|^\w{6,}(?=\.)/.exec(arg) ?? [];
    return { command: short(`${command}:${action}`), target: target && short(target) };
  }
  const { args, command } = request;
  const { entries = [], usual = entries[0] } = directory.get(command) ?? {};
  if (args.kind === 'values') {
    const entry = entries.find(({ word }) => word === args.subcommand);
    return { command: short(entry?.name ?? command), target: targetOf(entry?.options ?? {}, args.values) };
  }
  const options = usual?.options ?? {};
  const subcommands = entries.flatMap(({ word = [] }) => word);
  const values = firstWords(args.text, options, subcommands);
  return { command: short(command), target: targetOf(options, values) };
}

/**
 * The deployment or application that the options' values name. The values may be parsed or as the person typed them.
 */
export function targetOf(options: Options, values: Readonly<Record<string, unknown>>): string | undefined {
  const named = Object.entries(options).flatMap(([name, { kind }]) => {
    const value = NAMING.has(kind) ? (values[name] ?? '') : '';
    return typeof value === 'object' && 'request_id' in value ? value.request_id : value;
  });
  return short(named.filter((name) => name !== '').join(' ')) || undefined;
}

/**
 * The values of the positional options that come before the first `--option`. The text after an `--option` may be a
 * tag, and the log must not contain tags.
 */
function firstWords(text: string, options: Options, subcommands: readonly string[]) {
  const [plain = ''] = text.slice(0, 4 * SHOWN).split(/(?:^|\s)[-‐‑−‒–—―]/u);
  const words = plain
    .trim()
    .split(/\s+/)
    .filter((word) => !subcommands.includes(word));
  const positional = Object.keys(options).filter((name) => options[name]?.positional);
  return Object.fromEntries(positional.map((name, index) => [name, words[index]]));
}

/**
 * Shortens a text for the log. Also removes the text after an equals sign, which may be the secret value of a variable.
 */
function short(text: string): string {
  const shown = [...text.slice(0, 4 * SHOWN).replace(/=.*$/s, '=')].slice(0, SHOWN).join('');
  return shown.length < text.length ? `${shown}…` : shown;
}
