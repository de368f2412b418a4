import type { InvocationRequest } from '../chat/port.ts';
import type { Directory } from './define.ts';
import { application } from './kinds/application.ts';
import { deployment } from './kinds/deployment.ts';
import type { Kind, Options } from './kinds/kind.ts';
import { version } from './kinds/version.ts';

/** The message of the one line that each invocation leaves in the log. */
export const ENDED = 'invocation: ended';

/** In characters; no real name is longer. */
const SHOWN = 64;
/** Whatever else a person types stays out of the log: tags, players' addresses. */
const NAMING: ReadonlySet<Kind> = new Set([application, version, deployment]);

/** What a person asked for, as the log tells it. */
export interface RequestSummary {
  /** `stop`, or `stop:confirm` for a button or form. */
  readonly command: string;
  /** The deployment or application that the request names. */
  readonly target: string | undefined;
}

/** As the person typed or pressed, before anything is checked. */
export function summaryOf(request: InvocationRequest, directory: Directory): RequestSummary {
  if (request.kind !== 'command') {
    // The id of a button or form that another version of the bot made may be unreadable.
    const { command = '?', action = '?', arg = '' } = request.action ?? {};
    return { command: short(`${command}:${action}`), target: /^\w+$/.test(arg) ? short(arg) : undefined };
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

/** The deployment or application among the values of a command's options, read or not. */
export function targetOf(options: Options, values: Readonly<Record<string, unknown>>): string | undefined {
  const named = Object.entries(options).flatMap(([name, { kind }]) => {
    const value = NAMING.has(kind) ? (values[name] ?? '') : '';
    return typeof value === 'object' && 'request_id' in value ? value.request_id : value;
  });
  return short(named.filter((name) => name !== '').join(' ')) || undefined;
}

/** Up to the first `--option`: a value that follows may be a tag. */
function firstWords(text: string, options: Options, subcommands: readonly string[]) {
  const [plain = ''] = text.slice(0, 4 * SHOWN).split(/(?:^|\s)[-‐‑−‒–—―]/u);
  const words = plain
    .trim()
    .split(/\s+/)
    .filter((word) => !subcommands.includes(word));
  const positional = Object.keys(options).filter((name) => options[name]?.positional);
  return Object.fromEntries(positional.map((name, index) => [name, words[index]]));
}

function short(text: string): string {
  const shown = [...text.slice(0, 4 * SHOWN)].slice(0, SHOWN).join('');
  return shown.length < text.length ? `${shown}…` : shown;
}
