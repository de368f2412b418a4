import { AppError } from '../errors.ts';

/** A question of the setup. */
export interface SetupQuestion {
  /** The name of the answer in an answers file. Most names are names of settings. */
  readonly key: string;
  readonly text: string;
  /** Whether the answer stays hidden while the person types. */
  readonly secret?: boolean;
  /** The answer if the person only presses Enter, or if the answers file does not have this key. */
  readonly fallback?: string;
}

/** A person at a terminal, or a file with answers. */
export interface Prompter {
  /** Whether a person answers. Only a person can be asked a second time. */
  readonly interactive: boolean;
  say(text: string): void;
  /** Throws SkippedStep if the person skips the step, and SetupError if there is no answer. */
  ask(question: SetupQuestion): Promise<string>;
  /** Waits until `done` returns true. `done` is called at intervals, and whenever the person presses Enter. */
  wait(question: SetupQuestion, done: () => Promise<boolean>): Promise<void>;
  close(): void;
}

/** The setup cannot continue. The hint says how the person can continue. */
export class SetupError extends AppError {
  constructor(message: string, hint?: string) {
    super('setup', message, { hint });
  }
}

/** The person has skipped a step. */
export class SkippedStep extends Error {}

/**
 * Repeats the question until the answer is right. `read` returns the value of the answer, or throws AppError for a
 * wrong answer. A wrong answer in an answers file ends the setup.
 */
export async function askFor<T>(
  prompter: Prompter,
  question: SetupQuestion,
  read: (answer: string) => Promise<T> | T,
): Promise<T> {
  for (;;) {
    const answer = await prompter.ask(question);
    try {
      return await read(answer);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!prompter.interactive)
        throw new SetupError(`The answer ${question.key} cannot be used: ${error.userMessage}`, error.hint);
      prompter.say(`  ${[error.userMessage, error.hint].filter(Boolean).join(' → ')}`);
    }
  }
}

/** A thing with a name for people and an id for the settings, such as a server or a role. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/** Maximum number of things in a numbered list. For things that are not in the list, people type the name. */
const LISTED = 25;

export function listOf(things: readonly Named[]): string {
  const lines = things.slice(0, LISTED).map(({ name }, at) => `  ${String(at + 1).padStart(3)}  ${name}`);
  if (things.length > LISTED) lines.push(`       … and ${things.length - LISTED} more: type a name`);
  return lines.join('\n');
}

/**
 * Finds the things that a person typed as numbers, names or ids, separated by commas. Throws SetupError if a name is
 * unknown or belongs to several things.
 */
export function choose(answer: string, things: readonly Named[], noun: string): Named[] {
  const words = answer
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  return words.map((word) => {
    const plain = word.replace(/^[#@]/, '').toLowerCase();
    const byId = things.find(({ id }) => id === word);
    const byName = things.filter(({ name }) => name.replace(/^[#@]/, '').toLowerCase() === plain);
    const byNumber = /^\d{1,3}$/.test(word) ? things.slice(0, LISTED)[Number(word) - 1] : undefined;
    if (!byId && byName.length > 1)
      throw new SetupError(
        `There are several ${noun}s called ${word}.`,
        `Give the id: ${byName.map(({ id }) => id).join(', ')}.`,
      );
    const found = byId ?? byName[0] ?? byNumber;
    if (!found)
      throw new SetupError(
        `There is no ${noun} ${word}.`,
        `There are: ${things
          .slice(0, LISTED)
          .map(({ name }) => name)
          .join(', ')}.`,
      );
    return found;
  });
}
