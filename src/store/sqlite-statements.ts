import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, QueryResult } from 'kysely';
import { LRUCache } from 'lru-cache';
import { asStoreError } from './sqlite-errors.ts';
import { storable } from './storable.ts';

/**
 * The maximum number of cached prepared statements. The bot has fewer statements, but a statement with a list of ids
 * counts as a different statement for each length of the list.
 */
const KEPT = 300;

const PRAGMA = /^\s*pragma\b/i;

/**
 * Runs statements. Caches the prepared statements that were used most recently. Throws StoreError, or the error of
 * node:sqlite.
 */
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

  /** Called after a schema change, which may change the columns that a statement returns. */
  forget(): void {
    this.#prepared.clear();
  }

  #prepare(sql: string): Prepared {
    const kept = this.#prepared.get(sql);
    if (kept) return kept;
    const statement = this.#database.prepare(sql);
    // The pragma `incremental_vacuum` returns no columns, and each step frees one page. The method `all` runs all steps
    // of a pragma.
    const prepared = { statement, reads: statement.columns().length > 0 || PRAGMA.test(sql) };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

interface Prepared {
  readonly statement: StatementSync;
  readonly reads: boolean;
}

/**
 * Throws if a parameter is not a plain value. If the first parameter is an object (for example a Date), node:sqlite
 * would read the object as named parameters.
 */
function checked(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((parameter) => {
    const value = storable(parameter);
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (
      value === null ||
      // NaN is refused, because SQLite would store NaN as NULL and report no error.
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
