import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readEnvFile } from '../config/env-file.ts';
import { type Prompter, SetupError } from './prompter.ts';

const OWNER_ONLY = 0o600;
/** Errors of a file that cannot be replaced, because the file itself is mounted into a container. */
const MOUNTED: unknown[] = ['EBUSY', 'EXDEV'];

export type Draft = ReturnType<typeof openDraft>;

/**
 * The file with the settings, and the changes that are not saved yet. If there is no file, the example beside the file
 * is the beginning of the new file. Throws SetupError if the file cannot be read or written.
 */
export function openDraft(path: string, prompter: Prompter, replaces: boolean) {
  const file = existsSync(path) ? realpathSync(path) : resolve(path);
  const example = join(dirname(file), '.env.example');
  const from = existsSync(file) ? file : existsSync(example) ? example : undefined;
  const before = readEnvFile(from === undefined ? new Uint8Array() : readFileSync(from));
  if (before.problems.some(({ kind }) => kind === 'encoding'))
    throw new SetupError(`${path} is saved as UTF-16.`, 'Save the file as UTF-8, and run setup again.');
  const known = from === file ? before.values : {};
  const changes: Record<string, string> = {};
  tryToWrite(file, path);

  return {
    /** The value of a setting, also if it is not saved yet. Undefined if the setting is not set. */
    get: (name: string): string | undefined => (changes[name] ?? known[name] ?? '').trim() || undefined,
    /**
     * Sets a value. If the file has another value, the person is asked before the value is replaced. `wasShown`: the
     * person has just seen the present value, so a different value replaces it without a question.
     */
    async set(name: string, value: string, wasShown = false): Promise<void> {
      const present = (known[name] ?? '').trim();
      if (present === '' && value === '' && changes[name] === undefined) return;
      if (present !== '' && present !== value && !(wasShown && prompter.interactive) && !replaces) {
        if (!prompter.interactive)
          throw new SetupError(
            `${path} has another value of ${name}.`,
            'To replace values, add the line REPLACE=yes to the answers file.',
          );
        const answer = await prompter.ask({
          key: 'REPLACE',
          text: `${path} has another value of ${name}. Replace the value? (yes or no)`,
          fallback: 'no',
        });
        if (!/^y(?:es)?$/i.test(answer)) return;
      }
      changes[name] = value;
    },
    /** All values, for a check of them together. */
    values: (): Record<string, string> => ({ ...known, ...changes }),
    /** Writes the changes. The file is either the old file or the new file at any moment. */
    save(): boolean {
      if (Object.entries(changes).every(([name, value]) => known[name] === value)) return false;
      write(file, before.with(changes), path);
      return true;
    },
  };
}

/** A folder without room, or without the right to write, is reported before the first question. */
function tryToWrite(file: string, path: string): void {
  const trial = `${file}.${randomUUID()}`;
  try {
    closeSync(openSync(trial, 'wx', OWNER_ONLY));
  } catch (error) {
    throw unwritable(path, error);
  } finally {
    rmSync(trial, { force: true });
  }
}

function write(file: string, text: string, path: string): void {
  const fresh = `${file}.${randomUUID()}`;
  try {
    writeAll(fresh, text, 'wx');
    try {
      renameSync(fresh, file);
    } catch (error) {
      if (!MOUNTED.includes((error as { code?: unknown }).code)) throw error;
      writeAll(file, text, 'w');
    }
  } catch (error) {
    throw unwritable(path, error);
  } finally {
    rmSync(fresh, { force: true });
  }
}

function writeAll(file: string, text: string, flags: 'w' | 'wx'): void {
  const open = openSync(file, flags, OWNER_ONLY);
  try {
    writeSync(open, text);
    fsyncSync(open);
  } finally {
    closeSync(open);
  }
}

function unwritable(path: string, error: unknown): SetupError {
  const { code = 'unknown' } = error as { code?: string };
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new SetupError(
        `${path} cannot be written, because the disk is full.`,
        'Free space on the disk. The file is as it was.',
      )
    : new SetupError(
        `${path} cannot be written (${code}).`,
        'Run setup in a folder that you may write, or name another file with --env FILE. In a container, mount a folder: see docs/hosting.md.',
      );
}
