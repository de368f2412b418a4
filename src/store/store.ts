import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Dialect, Kysely } from 'kysely';
import { AppError, ConfigError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { migrate } from './migrate.ts';
import { postgresDialect } from './postgres.ts';
import { connectionOf } from './postgres-connection.ts';
import { type Database, isShared, type Store } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';

/** The dialect for a database. `database` is a `postgres://` URL, the path of a file, or `:memory:`. */
export function dialectFor(database: string, log: Logger): Dialect {
  return isShared(database) ? postgresDialect(database, log) : sqliteDialect(database);
}

/** Throws AppError if the settings alone show that the database cannot be opened. */
export function checkDatabase(database: string): void {
  if (isShared(database)) connectionOf(database);
  else if (existsSync(database) && statSync(database).isDirectory())
    throw new ConfigError([
      `DATABASE_URL is a folder: name a file in it, ${join(database, 'bot.db')} for example`,
    ]);
}

/** Opens the store and updates its schema. Throws AppError. */
export async function openStore(dialect: Dialect): Promise<Store> {
  const store = new Kysely<Database>({ dialect });
  try {
    await migrate(store);
  } catch (error) {
    await store.destroy();
    throw unusable(error);
  }
  return store;
}

/**
 * The number of connections of the lifeline. With several connections, a statement that hangs does not delay the next
 * statement.
 */
const LIFELINE_CONNECTIONS = 3;
const LIFELINE_PATIENCE_MS = 3_000;

/**
 * Returns the same store with separate connections, for urgent statements that must not wait behind other statements.
 * On SQLite, statements do not wait for a connection, so `store` itself is returned.
 */
export function lifelineOf(database: string, log: Logger, store: Store): Store {
  if (!isShared(database)) return store;
  const options = { connections: LIFELINE_CONNECTIONS, patienceMs: LIFELINE_PATIENCE_MS };
  return new Kysely<Database>({ dialect: postgresDialect(database, log, options) });
}

function unusable(error: unknown): AppError {
  if (error instanceof StoreError)
    return new AppError('store-unusable', error.problem, { hint: error.remedy, cause: error });
  if (error instanceof AppError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AppError('store-migration', `The database schema could not be brought up to date: ${reason}.`, {
    hint: 'The database is as it was before. Restore a backup if another program has changed it.',
    cause: error,
  });
}
