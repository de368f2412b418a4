import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  type renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readEnvFile } from '../config/env-file.ts';
import { type Prompter, SetupError } from './prompter.ts';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
/** The errors of a rename that cannot replace a file, because the file itself is mounted into a container. */
const MOUNTED = ['EBUSY', 'EXDEV'];

interface DraftOptions {
  readonly replaces: boolean;
  readonly rename: typeof renameSync;
}

export type Draft = ReturnType<typeof openDraft>;

/**
 * The file with the settings, and the changes that are not saved yet. If there is no file, the new file starts as a
 * copy of the example file in the same folder. With `replaces`, existing values are replaced without a question. Throws
 * SetupError if the file cannot be read or written.
 */
export function openDraft(path: string, prompter: Prompter, { replaces, rename }: DraftOptions) {
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
    /** The value of a setting, including values that are not saved yet. Undefined if the setting is not set. */
    get: (name: string): string | undefined => (changes[name] ?? known[name] ?? '').trim() || undefined,
    /**
     * Sets a value. If the file has a different value, asks the person before the value is replaced. With `wasShown`,
     * the person has just seen the old value, so the new value replaces the old value without a question.
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
    /** All values, for checks that concern several settings. */
    values: (): Record<string, string> => ({ ...known, ...changes }),
    /**
     * Writes the changes, and lets only the owner read the file. The change is atomic, except for a file that is
     * mounted into a container. Returns whether anything was changed.
     */
    save(): boolean {
      if (Object.entries(changes).some(([name, value]) => known[name] !== value)) {
        write(file, before.with(changes), path, rename);
        return true;
      }
      if (existsSync(file)) protect(file);
      return false;
    },
    /** Where the settings are stored, and who can read them. */
    describe(): string {
      if (!existsSync(file)) return 'No settings were saved.';
      return (statSync(file).mode & OTHERS) !== 0 && process.platform !== 'win32'
        ? `The settings are in ${path}. Other users of this machine can read the file, and setup cannot change that: as the owner of the file, run chmod 600 ${path}.`
        : `The settings are in ${path}, which only you can read.`;
    },
  };
}

/** Tries to write a file, so that a full or read-only folder is reported before the first question. */
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

function write(file: string, text: string, path: string, rename: DraftOptions['rename']): void {
  const fresh = `${file}.${randomUUID()}`;
  try {
    writeAll(fresh, text, 'wx');
    if (replaced(file, fresh, rename)) return;
  } catch (error) {
    rmSync(fresh, { force: true });
    throw unwritable(path, error);
  }
  writeInPlace(file, text, path, fresh);
  rmSync(fresh, { force: true });
}

/** Replaces the file with the file `fresh`. Returns false if the file is mounted. */
function replaced(file: string, fresh: string, rename: DraftOptions['rename']): boolean {
  try {
    rename(fresh, file);
    return true;
  } catch (error) {
    if (MOUNTED.includes(codeOf(error))) return false;
    throw error;
  }
}

/**
 * Overwrites a file that cannot be replaced. If the write fails, the file may be incomplete. In this case, the file
 * `copy` has the whole text.
 */
function writeInPlace(file: string, text: string, path: string, copy: string): void {
  try {
    writeAll(file, text, 'w');
  } catch (error) {
    throw new SetupError(
      `${path} could not be written completely (${codeOf(error)}).`,
      `The file may now be cut. All settings are in ${copy}: remove the cause, for example free space on the disk, and copy them into the file.`,
    );
  }
}

function writeAll(file: string, text: string, flags: 'w' | 'wx'): void {
  const open = openSync(file, flags, OWNER_ONLY);
  try {
    // Sets the mode of an existing file, because the mode in `openSync` applies only to a new file.
    protect(open);
    writeFileSync(open, text);
    fsyncSync(open);
  } finally {
    closeSync(open);
  }
}

/**
 * Makes the file readable for its owner only, if possible. Some file systems do not allow this change, and a file of
 * another user cannot be changed. `describe` names the mode that the file has now.
 */
function protect(file: string | number): void {
  try {
    if (typeof file === 'string') chmodSync(file, OWNER_ONLY);
    else fchmodSync(file, OWNER_ONLY);
  } catch {}
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown';
}

function unwritable(path: string, error: unknown): SetupError {
  const code = codeOf(error);
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
