import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { SqliteDatabase, SqliteDialect, SqliteStatement } from 'kysely';
import { AppError } from '../errors.ts';
import { ConsiderateDialect } from './considerate.ts';
import { asStoreError, explain } from './sqlite-errors.ts';

/** How much of the write-ahead log is left on the disk once it is written back, in bytes. */
const LOG_BYTES = 16 * 1024 * 1024;

/**
 * Kysely's SQLite dialect on Node's own SQLite: one file, durable at every commit. A second process on the same
 * file is refused, and after kill -9 the lock is free again because it is the operating system's. Where the file
 * cannot be used, StoreError.
 */
export function sqliteDialect(path: string): SqliteDialect {
  return new ConsiderateDialect({ database: async () => open(path) });
}

function open(path: string): SqliteDatabase {
  const memory = path === ':memory:';
  let database: DatabaseSync | undefined;
  try {
    if (!memory) mkdirSync(dirname(path), { recursive: true });
    database = new DatabaseSync(path, { timeout: 0 });
    // Exclusive before WAL: then no shared memory file is needed, and the lock is taken at the first write below.
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    // Before the first write, for it counts in new files only: lets `giveBack` shorten the file.
    database.exec('PRAGMA auto_vacuum=INCREMENTAL');
    database.exec('PRAGMA journal_mode=WAL');
    database.exec('PRAGMA synchronous=FULL');
    database.exec('PRAGMA foreign_keys=ON');
    database.exec(`PRAGMA journal_size_limit=${LOG_BYTES}`);
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    return asKyselyDatabase(database, path);
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

/** Kysely speaks better-sqlite3's dialect of statements: parameters as one array, and `reader` for "returns rows". */
function asKyselyDatabase(database: DatabaseSync, path: string): SqliteDatabase {
  const tried = <T>(use: () => T): T => {
    try {
      return use();
    } catch (error) {
      throw asStoreError(error, path);
    }
  };
  return {
    close: () => database.close(),
    prepare(sql): SqliteStatement {
      // What fails for want of room may have ended the transaction already.
      const over = sql === 'rollback' && !database.isTransaction;
      const statement = tried(() => database.prepare(over ? 'select 1 where 0' : sql));
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => tried(() => statement.all(...checked(parameters))),
        iterate: (parameters) => statement.iterate(...checked(parameters)) as IterableIterator<unknown>,
        run: (parameters) => tried(() => statement.run(...checked(parameters))),
      };
    },
  };
}

/** node:sqlite reads an object in first place (a Date, say) as named parameters: refuse what is not a plain value. */
function checked(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((value) => {
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (
      value === null ||
      // SQLite would quietly make NULL of NaN.
      (typeof value === 'number' && !Number.isNaN(value)) ||
      typeof value === 'bigint' ||
      typeof value === 'string' ||
      value instanceof Uint8Array
    )
      return value;
    throw new TypeError(
      `Not a value SQLite can hold: ${Number.isNaN(value) ? 'NaN' : Object.prototype.toString.call(value)}`,
    );
  });
}
