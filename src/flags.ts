import { parseArgs } from 'node:util';
import type { z } from 'zod';

/** What a script of package.json takes after its name and `--`. */
export interface Usage<Values> {
  /** What `--help` shows, and a mistake below what is wrong; ends with a line break. */
  readonly text: string;
  /** By its name, whether a value follows it. `--help` is always there. */
  readonly options: Readonly<Record<string, 'boolean' | 'string'>>;
  /** Whether bare words are taken; the schema then finds them as `words`. */
  readonly words?: boolean;
  /** Its messages are sentences. */
  readonly schema: z.ZodType<Values>;
}

/** What of a process is needed to read its command line and to answer it. */
export interface Terminal {
  readonly argv: readonly string[];
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exitCode?: NodeJS.Process['exitCode'];
}

/**
 * The values a script was started with. Undefined where it is not to run: it was asked for help and has said it (exit
 * code 0), or was told what it does not know and has said that (2).
 */
export function readFlags<Values>(usage: Usage<Values>, terminal: Terminal = process): Values | undefined {
  const read = parse(usage, terminal.argv.slice(2));
  if (read === 'help') {
    terminal.stdout.write(usage.text);
    return undefined;
  }
  if ('values' in read) return read.values;
  terminal.stderr.write(`${read.problem}\n\n${usage.text}`);
  terminal.exitCode = 2;
  return undefined;
}

function parse<Values>(
  { options, words = false, schema }: Usage<Values>,
  args: string[],
): 'help' | { values: Values } | { problem: string } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: words,
      options: {
        ...Object.fromEntries(Object.entries(options).map(([name, type]) => [name, { type }])),
        help: { type: 'boolean', short: 'h' },
      },
    });
    const { help, ...given } = values;
    if (help) return 'help';
    const result = schema.safeParse(words ? { ...given, words: positionals } : given);
    if (result.success) return { values: result.data };
    return { problem: result.error.issues.map(({ message }) => message).join('\n') };
  } catch (error) {
    if (!(error instanceof TypeError) || !('code' in error)) throw error;
    // Node's advice on how to write what nobody meant comes after the first sentence.
    const [said = ''] = error.message.split(/\.(?:\s|$)|\n/);
    return { problem: `${said}.` };
  }
}
