import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SqliteDialect } from 'kysely';
import { AppError } from '../errors.ts';
import { GroupingDialect } from './sqlite-driver.ts';
import { explain } from './sqlite-errors.ts';

/** How much of the write-ahead log is left on the disk once it is written back, in bytes. */
const LOG_BYTES = 16 * 1024 * 1024;
/** How much of the file may be in memory: SQLite's own 2 MB hold the indexes of a few thousand deployments. */
const CACHE_KIB = 64 * 1024;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * Kysely's SQLite dialect on Node's own SQLite: one file, durable at every commit. A second process on the same
 * file is refused, and after kill -9 the lock is free again because it is the operating system's. Where the file
 * cannot be used, StoreError. `readOnly`: what it holds stays as it is, and so does its form.
 */
export function sqliteDialect(path: string, { readOnly = false } = {}): SqliteDialect {
  return new GroupingDialect(path, () => open(path, readOnly));
}

function open(path: string, readOnly: boolean): DatabaseSync {
  const memory = path === ':memory:';
  let database: DatabaseSync | undefined;
  try {
    if (!memory && !readOnly) create(path);
    database = new DatabaseSync(path, { timeout: 0 });
    // Exclusive before WAL: then no shared memory file is needed, and the lock is taken at the first write below.
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    if (readOnly) {
      // SQLite's own read-only way leaves a shared memory file and an empty log behind, which may be another user's.
      // The second statement takes the lock.
      database.exec('PRAGMA query_only=ON; SELECT 1 FROM sqlite_schema');
      return database;
    }
    // Before the first write, for it counts in new files only: lets `giveBack` shorten the file.
    database.exec('PRAGMA auto_vacuum=INCREMENTAL');
    database.exec('PRAGMA journal_mode=WAL');
    database.exec('PRAGMA synchronous=FULL');
    database.exec('PRAGMA foreign_keys=ON');
    database.exec(`PRAGMA cache_size=-${CACHE_KIB}`);
    database.exec(`PRAGMA journal_size_limit=${LOG_BYTES}`);
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    // Not before it is known to be a database that this bot can use.
    if (!memory) for (const suffix of ['', '-wal', '-shm', '-journal']) keepToOwner(path, suffix);
    return database;
  } catch (cause) {
    if (database?.isOpen) database.close();
    const { reason, remedy } = explain(cause, path) ?? {
      reason: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Set DATABASE_URL to the path of a file of this bot’s own, in a folder that can be written.',
    };
    throw new AppError('store-unusable', `The database ${path} cannot be opened: ${reason}.`, {
      hint: remedy,
      cause,
    });
  }
}

/** For the owner alone, as it holds the secrets of callbacks. SQLite gives the log beside it the same rights. */
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  // An old one is not opened here: to close it would let go of every lock that this process has on it (POSIX).
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY));
  } catch {
    // SQLite finds the same, and there are words for that.
  }
}

/** Where it is not ours to change, others may have been meant to read it, and the start does not fail for that. */
function keepToOwner(path: string, suffix: string): void {
  try {
    // Behind a link its log lies beside the file itself.
    const file = realpathSync(path) + suffix;
    const { mode, uid } = statSync(file);
    if ((mode & OTHERS) !== 0 && uid === process.getuid?.()) chmodSync(file, mode & OWNER_ONLY);
  } catch {
    // Not there, or on a volume that knows no rights.
  }
}
