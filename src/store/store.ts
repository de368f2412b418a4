import { type Dialect, Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { migrations } from './migrations.ts';
import { lockForMigration, postgresDialect } from './postgres.ts';
import type { Database } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';

/** A handle for queries: the store itself, or a transaction in it. */
export type Store = Kysely<Database>;

/** Whether several processes can work on it: on PostgreSQL; a SQLite file has one. */
export function isShared(database: string): boolean {
  return /^postgres(ql)?:/i.test(database);
}

/** `database` is a `postgres://` URL, a file path or `:memory:`. */
export function dialectFor(database: string, log: Logger): Dialect {
  return isShared(database) ? postgresDialect(database, log) : sqliteDialect(database);
}

/** Opens the store and brings its schema up to date. */
export async function openStore(dialect: Dialect): Promise<Store> {
  const store = new Kysely<Database>({ dialect });
  const { error } = await migrate(store).catch((error: unknown) => ({ error }));
  if (error) {
    await store.destroy();
    if (error instanceof AppError) throw error;
    throw new AppError('store-migration', 'The database schema could not be brought up to date.', {
      hint: 'If a newer version of the bot has used this database, run that one again; else restore a backup.',
      cause: error,
    });
  }
  return store;
}

/** In one transaction where the database can, so that of many processes that start at once one does it. */
async function migrate(store: Store): Promise<{ error?: unknown }> {
  const upTo = (db: Store) => new Migrator({ db, provider: migrations }).migrateToLatest();
  if (!store.getExecutor().adapter.supportsTransactionalDdl) return upTo(store);
  return await store.transaction().execute(async (tx) => {
    await lockForMigration(tx);
    const result = await upTo(tx);
    if (result.error) throw result.error;
    return result;
  });
}
