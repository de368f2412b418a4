import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SqliteDialect } from 'kysely';
import { AppError } from '../errors.ts';
import { GroupingDialect } from './sqlite-driver.ts';
import { explain } from './sqlite-errors.ts';

/** How many bytes of the write-ahead log stay on the disk after the pages of the log were written to the file. */
const LOG_BYTES = 16 * 1024 * 1024;
/**
 * How much of the file may be kept in memory. With SQLite's default of 2 MB, only the indexes of a few thousand
 * deployments would fit.
 */
const CACHE_KIB = 64 * 1024;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * Kysely's SQLite dialect on Node's own SQLite. The database is a single file, and every commit is durable. A second
 * process that opens the same file is refused. The operating system holds the lock on the file, so the lock is free
 * again even after kill -9. Throws StoreError if the file cannot be used. With `readOnly`, neither the rows nor the
 * format of the file change.
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
    // The locking mode is set before WAL. With this order, SQLite needs no shared memory file, and takes the lock at
    // the first write below.
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    if (readOnly) {
      // The file is not opened in SQLite's own read-only mode. That mode would leave behind a shared memory file and an
      // empty log, which may belong to another user. The second statement takes the lock.
      database.exec('PRAGMA query_only=ON; SELECT 1 FROM sqlite_schema');
      return database;
    }
    // This is set before the first write, because only a new file accepts this setting. With this setting,
    // `returnFreeSpace` can shorten the file.
    database.exec('PRAGMA auto_vacuum=INCREMENTAL');
    database.exec('PRAGMA journal_mode=WAL');
    database.exec('PRAGMA synchronous=FULL');
    // Overwrites what was deleted, because rows may hold secret values for some time.
    database.exec('PRAGMA secure_delete=ON');
    database.exec('PRAGMA foreign_keys=ON');
    database.exec(`PRAGMA cache_size=-${CACHE_KIB}`);
    database.exec(`PRAGMA journal_size_limit=${LOG_BYTES}`);
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    // The rights are changed only at this point, when it is certain that the file is a database that this bot can use.
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
 * gives the same rights to the log beside the file.
 */
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  // If the file exists, it is not opened here. Closing it would release all locks that this process holds on it
  // (POSIX).
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY));
  } catch {
    // The error is ignored here, because SQLite will fail in the same way, and that error is explained to the operator.
  }
}

/**
 * Takes away the rights of all other users if the file belongs to this user. If that fails, the bot starts
 * nevertheless.
 */
function keepToOwner(path: string, suffix: string): void {
  try {
    // If the path is a link, the log lies beside the file to which the link points.
    const file = realpathSync(path) + suffix;
    const { mode, uid } = statSync(file);
    if ((mode & OTHERS) !== 0 && uid === process.getuid?.()) chmodSync(file, mode & OWNER_ONLY);
  } catch {
    // The file does not exist, or its volume does not support rights.
  }
}
