import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SqliteDialect } from 'kysely';
import { AppError } from '../errors.ts';
import { GroupingDialect } from './sqlite-driver.ts';
import { explain } from './sqlite-errors.ts';

/** How much of the write-ahead log stays on the disk after the pages were written back, in bytes. */
const LOG_BYTES = 16 * 1024 * 1024;
/** How much of the file may be in memory: SQLite's default of 2 MB holds the indexes of a few thousand deployments. */
const CACHE_KIB = 64 * 1024;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * Kysely's SQLite dialect on Node's own SQLite: one file, durable at every commit. A second process on the same file
 * is refused; after kill -9 the lock is free again, because the operating system holds it. Throws StoreError when the
 * file cannot be used. With `readOnly` neither the rows nor the form of the file change.
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
    // Exclusive before WAL: then SQLite needs no shared memory file, and takes the lock at the first write below.
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    if (readOnly) {
      // SQLite's own read-only mode leaves a shared memory file and an empty log behind, which may belong to another
      // user. The second statement takes the lock.
      database.exec('PRAGMA query_only=ON; SELECT 1 FROM sqlite_schema');
      return database;
    }
    // Before the first write, as only new files take this setting, which lets `giveBack` shorten the file.
    database.exec('PRAGMA auto_vacuum=INCREMENTAL');
    database.exec('PRAGMA journal_mode=WAL');
    database.exec('PRAGMA synchronous=FULL');
    database.exec('PRAGMA foreign_keys=ON');
    database.exec(`PRAGMA cache_size=-${CACHE_KIB}`);
    database.exec(`PRAGMA journal_size_limit=${LOG_BYTES}`);
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    // Only once the file is known to be a database that this bot can use.
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

/**
 * Makes the file for its owner alone, because the store holds the secrets of callbacks. SQLite gives the log beside
 * the file the same rights.
 */
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  // An existing file is not opened here: closing it would release all locks of this process on the file (POSIX).
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY));
  } catch {
    // SQLite will fail in the same way, and that error is explained.
  }
}

/** Takes the rights of other users away, if the file belongs to this user; a failure does not stop the start. */
function keepToOwner(path: string, suffix: string): void {
  try {
    // If the path is a link, the log lies beside the file itself.
    const file = realpathSync(path) + suffix;
    const { mode, uid } = statSync(file);
    if ((mode & OTHERS) !== 0 && uid === process.getuid?.()) chmodSync(file, mode & OWNER_ONLY);
  } catch {
    // No such file, or a volume without rights.
  }
}
