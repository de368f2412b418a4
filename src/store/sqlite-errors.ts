import { accessSync, constants } from 'node:fs';
import { StoreError } from '../errors.ts';
import { OvertakenError } from './transact.ts';

interface Explained {
  readonly code: StoreError['code'] & ('store-full' | 'store-broken');
  readonly userMessage: string;
  /** The end of a sentence that begins with "The database FILE cannot be used:". */
  readonly reason: string;
  readonly remedy: string;
}

/**
 * The primary result codes of SQLite (sqlite.org/rescode.html). In node:sqlite, they are the lowest byte of `errcode`.
 */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
/** The extended result code for a row whose unique values another transaction has already stored. */
const CONSTRAINT_UNIQUE = 2067;
/** The extended result code for a write that needs more space than the disk has. */
const IOERR_WRITE = 778;

/** Whether the error means that another process has locked the file. */
export function isTaken(error: unknown): boolean {
  const code = (error as { errcode?: number } | undefined)?.errcode ?? 0;
  return [BUSY, LOCKED].includes(code & 0xff);
}

/** Explains an error that concerns the whole file. Undefined for an error that concerns only a single statement. */
export function explain(error: unknown, path: string): Explained | undefined {
  const code = (error as { errcode?: number }).errcode ?? 0;
  const broken = { code: 'store-broken', userMessage: 'I cannot use my database.' } as const;
  // The lock of a read-only file fails with the same code as a broken disk.
  switch ((code & 0xff) === IOERR && mayNotWrite(path) ? READONLY : code & 0xff) {
    case FULL:
      return {
        code: 'store-full',
        userMessage: 'My database has no room left.',
        reason: 'its disk is full',
        remedy: `Free space on the volume that holds ${path}.`,
      };
    case IOERR:
      return {
        ...broken,
        reason: `the disk ${code === IOERR_WRITE ? 'did not take a write' : 'does not work properly'} (error ${code})`,
        remedy: `Look at the volume that holds ${path}: its health, and whether it is still mounted.`,
      };
    case READONLY:
      return {
        ...broken,
        reason: 'I may not write it',
        remedy: `Let the user that I run as write ${path} and the folder around it.`,
      };
    case CORRUPT:
    case NOTADB:
      return {
        ...broken,
        reason: code === NOTADB ? 'it is not a SQLite file' : 'the file is damaged',
        // The write-ahead log must also be removed. If an old log lies next to a restored backup, SQLite reports that
        // the backup is damaged.
        remedy: `Stop me, remove ${path}-wal if there is one, and put a backup in the place of ${path}; or set DATABASE_URL to another path.`,
      };
    case BUSY:
    case LOCKED:
      return {
        ...broken,
        reason: 'another process has it open',
        remedy:
          'One process at a time can use the file. Stop the other one, or set DATABASE_URL to another path.',
      };
    case CANTOPEN:
      return {
        ...broken,
        reason: 'unable to open database file',
        remedy: 'Set DATABASE_URL to the path of a file of this bot’s own, in a folder that can be written.',
      };
    default:
      return undefined;
  }
}

function mayNotWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return ['EACCES', 'EPERM', 'EROFS'].includes((error as { code?: string }).code ?? '');
  }
}

/**
 * Returns a StoreError if the whole file cannot be used, and an OvertakenError if a unique value already exists.
 * Returns any other error unchanged.
 */
export function asStoreError(error: unknown, path: string): unknown {
  if (error instanceof Error && (error as { errcode?: number }).errcode === CONSTRAINT_UNIQUE)
    return new OvertakenError(error.message, { cause: error });
  const explained = explain(error, path);
  if (!explained) return error;
  const { code, userMessage, reason, remedy } = explained;
  return new StoreError(code, userMessage, {
    problem: `The database ${path} cannot be used: ${reason}.`,
    remedy,
    cause: error,
  });
}
