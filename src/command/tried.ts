import type { InvocationRequest } from '../chat/port.ts';
import type { Directory } from './define.ts';
import type { OptionKind, OptionSpecs } from './options.ts';

/** The message of the one line that each invocation leaves in the log. */
export const ENDED = 'invocation: ended';

/** In characters; no real name is longer. */
const SHOWN = 64;
/** Whatever else a person types stays out of the log: tags, players' addresses. */
const NAMING: ReadonlySet<OptionKind> = new Set(['application', 'version', 'deployment']);

/** What a person asked for, as the log tells it. */
export interface Tried {
  /** `stop`, or `stop:confirm` for a button. */
  readonly command: string;
  /** The deployment or application that the request names. */
  readonly target: string | undefined;
}

/** As the person typed or pressed, before anything is checked. */
export function asTyped(request: InvocationRequest, directory: Directory): Tried {
  if (request.kind === 'action') {
    const { command, action, arg } = request.action;
    return { command: short(`${command}:${action}`), target: /^\w+$/.test(arg) ? short(arg) : undefined };
  }
  const { args, command } = request;
  const specs = directory.get(command)?.options ?? {};
  const values = args.kind === 'values' ? args.values : firstWords(args.text, specs);
  return { command: short(command), target: targetOf(specs, values) };
}

/** The deployment or application among the values of a command's options, read or not. */
export function targetOf(specs: OptionSpecs, values: Readonly<Record<string, unknown>>): string | undefined {
  const named = Object.entries(specs).flatMap(([name, { kind }]) => {
    const value = NAMING.has(kind) ? (values[name] ?? '') : '';
    return typeof value === 'object' && 'request_id' in value ? value.request_id : value;
  });
  return short(named.filter((name) => name !== '').join(' ')) || undefined;
}

/** Up to the first `--option`: a value that follows may be a tag. */
function firstWords(text: string, specs: OptionSpecs): Record<string, string | undefined> {
  const [plain = ''] = text.slice(0, 4 * SHOWN).split(/(?:^|\s)[-‐‑−‒–—―]/u);
  const words = plain.trim().split(/\s+/);
  const positional = Object.keys(specs).filter((name) => specs[name]?.positional);
  return Object.fromEntries(positional.map((name, index) => [name, words[index]]));
}

function short(text: string): string {
  const shown = [...text.slice(0, 4 * SHOWN)].slice(0, SHOWN).join('');
  return shown.length < text.length ? `${shown}…` : shown;
}
