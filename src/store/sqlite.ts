import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SqliteDialect } from 'kysely';
import { AppError } from '../errors.ts';
import { GroupingDialect } from './sqlite-driver.ts';
import { explain } from './sqlite-errors.ts';

/** The maximum size of the write-ahead log, in bytes, after its pages were written to the file. */
const LOG_BYTES = 16 * 1024 * 1024;
/**
 * The maximum part of the file that is cached in memory. With SQLite's default of 2 MB, only the indexes of a few
 * thousand deployments would fit.
 */
const CACHE_KIB = 64 * 1024;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * Kysely's SQLite dialect on the SQLite of Node.js. The database is a single file, and every commit is durable. A
 * second process that opens the same file is refused. The operating system holds the file's lock, so the lock is
 * released even after kill -9. Throws StoreError if the file cannot be used. With `readOnly`, the rows and the format
 * of the file do not change.
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
    // The locking mode is set before WAL. In this order, SQLite needs no shared memory file, and takes the lock at the
    // first write below.
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    if (readOnly) {
      // SQLite's own read-only mode is not used. That mode would create a shared memory file and an empty log, and
      // these files may belong to another user. The second statement takes the lock.
      database.exec('PRAGMA query_only=ON; SELECT 1 FROM sqlite_schema');
      return database;
    }
    // The setting must come before the first write, because only a new file accepts it. With this setting,
    // `returnFreeSpace` can shrink the file.
    database.exec('PRAGMA auto_vacuum=INCREMENTAL');
    database.exec('PRAGMA journal_mode=WAL');
    database.exec('PRAGMA synchronous=FULL');
    // Overwrites deleted data, because rows may contain secret values for some time.
    database.exec('PRAGMA secure_delete=ON');
    database.exec('PRAGMA foreign_keys=ON');
    database.exec(`PRAGMA cache_size=-${CACHE_KIB}`);
    database.exec(`PRAGMA journal_size_limit=${LOG_BYTES}`);
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    // The permissions are changed only now, when it is certain that the bot can use the file as its database.
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
 * Creates the file so that only its owner can read it, because the store contains the secrets of callbacks. SQLite
 * gives the log next to the file the same permissions.
 */
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  // An existing file is not opened here. Closing the file would release all locks of this process on the file (POSIX).
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY));
  } catch {
    // The error is ignored here. SQLite will fail in the same way, and the bot explains that error to the operator.
  }
}

/** Removes the permissions of all other users if the file belongs to this user. If that fails, the bot still starts. */
function keepToOwner(path: string, suffix: string): void {
  try {
    // If the path is a symbolic link, the log lies next to the link's target.
    const file = realpathSync(path) + suffix;
    const { mode, uid } = statSync(file);
    if ((mode & OTHERS) !== 0 && uid === process.getuid?.()) chmodSync(file, mode & OWNER_ONLY);
  } catch {
    // The file does not exist, or its volume does not support permissions.
  }
}
