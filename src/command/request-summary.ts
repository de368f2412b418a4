import type { InvocationRequest } from '../chat/port.ts';
import type { Directory } from './define.ts';
import { application } from './kinds/application.ts';
import { deployment } from './kinds/deployment.ts';
import type { Kind, Options } from './kinds/kind.ts';
import { version } from './kinds/version.ts';

/** The message of the log line at the end of each invocation. */
export const ENDED = 'invocation: ended';

/** How many characters of a name the log shows. No real name is longer. */
const SHOWN = 64;
/** The kinds of options that the log shows. Tags and players' addresses, for example, stay out of the log. */
const NAMING: ReadonlySet<Kind> = new Set([application, version, deployment]);

/** A person's request, as the log describes it. */
export interface RequestSummary {
  /** For example `stop`, or `stop:confirm` for a button or form. */
  readonly command: string;
  /** The deployment or application that the request names. */
  readonly target: string | undefined;
}

/** The summary of a request as the person typed it or pressed it. At this time no part of it has been checked. */
export function summaryOf(request: InvocationRequest, directory: Directory): RequestSummary {
  if (request.kind === 'message') return { command: short(request.entry), target: undefined };
  if (request.kind !== 'command') {
    // The id of a button or form may be unreadable if another version of the bot made it.
    const { command = '?', action = '?', arg = '' } = request.action ?? {};
    // A request_id may be followed by a dot and more. The number of a page has at most five digits.
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
 * The deployment or application among the values of a command's options. The values may be parsed, or may be as the
 * person typed them.
 */
export function targetOf(options: Options, values: Readonly<Record<string, unknown>>): string | undefined {
  const named = Object.entries(options).flatMap(([name, { kind }]) => {
    const value = NAMING.has(kind) ? (values[name] ?? '') : '';
    return typeof value === 'object' && 'request_id' in value ? value.request_id : value;
  });
  return short(named.filter((name) => name !== '').join(' ')) || undefined;
}

/**
 * The values of the positional options, up to the first `--option`. The text after an `--option` may be a tag, and tags
 * must not appear in the log.
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
 * Also cuts the text at an equals sign: if the person typed a variable instead of a name, the value follows the sign.
 */
function short(text: string): string {
  const shown = [...text.slice(0, 4 * SHOWN).replace(/=.*$/s, '=')].slice(0, SHOWN).join('');
  return shown.length < text.length ? `${shown}…` : shown;
}
