import { parseArgs } from 'node:util';
import type { z } from 'zod';

/** Describes the command line of a script in package.json: the words after the script's name and `--`. */
export interface Usage<Values> {
  /** Shown by `--help`, and below the explanation of a mistake. Ends with a line break. */
  readonly text: string;
  /**
   * For each option, by its name: `string` if a value follows the option, otherwise `boolean`. The option `--help`
   * always exists.
   */
  readonly options: Readonly<Record<string, 'boolean' | 'string'>>;
  /** Whether words without a dash are accepted. The schema receives them as `words`. */
  readonly words?: boolean;
  /** The messages of the schema must be whole sentences. */
  readonly schema: z.ZodType<Values>;
}

/** The parts of a process that `readFlags` needs. */
export interface Terminal {
  readonly argv: readonly string[];
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exitCode?: NodeJS.Process['exitCode'];
}

/**
 * Returns the values of the command line. Undefined if the script should not run, because `--help` was shown (exit code
 * 0) or a mistake was explained (exit code 2).
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
    // The first sentence explains the mistake. The later sentences of Node.js contain advice that does not fit here.
    const [said = ''] = error.message.split(/\.(?:\s|$)|\n/);
    return { problem: `${said}.` };
  }
}
