import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, QueryResult } from 'kysely';
import { LRUCache } from 'lru-cache';
import { asStoreError } from './sqlite-errors.ts';
import { storable } from './storable.ts';

/** More than the bot has different statements; but lists of ids make new statements for every length. */
const KEPT = 300;

const PRAGMA = /^\s*pragma\b/i;

/** Runs statements, and keeps the most recently used ones prepared. Throws StoreError, or node:sqlite's own error. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #prepared = new LRUCache<string, Prepared>({ max: KEPT });

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
  }

  run<Row>({ sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>): QueryResult<Row> {
    const values = checked(parameters);
    try {
      const { statement, reads } = this.#prepare(sql);
      if (reads) return { rows: statement.all(...values) as Row[] };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      throw asStoreError(error, this.#path);
    }
  }

  /** A change of the schema may change the columns that a statement returns. */
  forget(): void {
    this.#prepared.clear();
  }

  #prepare(sql: string): Prepared {
    const kept = this.#prepared.get(sql);
    if (kept) return kept;
    const statement = this.#database.prepare(sql);
    // `incremental_vacuum` has no columns, and frees a page with each step: `all` steps a pragma to the end.
    const prepared = { statement, reads: statement.columns().length > 0 || PRAGMA.test(sql) };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

interface Prepared {
  readonly statement: StatementSync;
  readonly reads: boolean;
}

/** node:sqlite reads an object in first place (a Date, say) as named parameters, so only plain values are accepted. */
function checked(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((parameter) => {
    const value = storable(parameter);
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (
      value === null ||
      // SQLite would silently store NaN as NULL.
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
