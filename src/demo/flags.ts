import { parseArgs } from 'node:util';

export const usage = `Usage: npm run demo [-- --fast]

Edgegap dedicated servers from chat, here in a terminal, against a simulated Edgegap.
At a terminal you get a prompt. From a pipe each line is run in order. Without any input a short tour is played.

  --fast   servers start and stop in about a second
  --help   this text
`;

export type Flags =
  | { readonly kind: 'run'; readonly fast: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'problem'; readonly problem: string };

/** Reads the words after `npm run demo --`. */
export function readFlags(words: readonly string[]): Flags {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { fast: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    return values.help ? { kind: 'help' } : { kind: 'run', fast: values.fast === true };
  } catch {
    const unknown = words.find((word) => word !== '--fast') ?? '';
    return { kind: 'problem', problem: `The demo does not know "${unknown}".` };
  }
}
