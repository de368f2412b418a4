import { type Dialect, Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AppError } from '../errors.ts';
import { migrations } from './migrations.ts';
import type { Database } from './schema.ts';

/** A handle for queries: the store itself, or a transaction in it. */
export type Store = Kysely<Database>;

/** Opens the store and brings its schema up to date. */
export async function openStore(dialect: Dialect): Promise<Store> {
  const store = new Kysely<Database>({ dialect });
  const { error } = await new Migrator({ db: store, provider: migrations }).migrateToLatest();
  if (error) {
    await store.destroy();
    if (error instanceof AppError) throw error;
    throw new AppError('store-migration', 'The database schema could not be brought up to date.', {
      hint: 'If a newer version of the bot has used this file, run that one again; else restore a backup.',
      cause: error,
    });
  }
  return store;
}
