import type { DatabaseSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
} from 'kysely';
import { Statements } from './sqlite-statements.ts';

/** The maximum time, in milliseconds, for which the store may block all other work of the process. */
const HOLD_MS = 10;

const WRITES: ReadonlySet<string> = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode']);

/** Kysely's SQLite dialect, with a driver that groups transactions into commits. `open` may throw. */
export class GroupingDialect extends SqliteDialect {
  readonly #open: () => DatabaseSync;
  readonly #path: string;

  constructor(path: string, open: () => DatabaseSync) {
    super({ database: async () => Promise.reject(new Error('Opened by the driver')) });
    this.#path = path;
    this.#open = open;
  }

  override createDriver(): Driver {
    return new GroupingDriver(this.#path, this.#open);
  }

  override createAdapter(): SqliteAdapter {
    return new UnlockedAdapter();
  }
}

/**
 * Disables Kysely's own lock. With this lock, each transaction would occupy the only connection until its commit is
 * over.
 */
class UnlockedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/**
 * Transactions that are committed or undone together. Each caller learns of its success only after the commit, because
 * a failed commit undoes all changes.
 */
class Group {
  readonly #over = Promise.withResolvers<void>();
  lost: { readonly error: unknown } | undefined;

  constructor() {
    // A transaction that fails does not wait for the commit. Without this handler, a failure of the commit would be an
    // unhandled rejection.
    this.#over.promise.catch(() => undefined);
  }

  get committed(): Promise<void> {
    return this.#over.promise;
  }

  succeed(): void {
    this.#over.resolve();
  }

  fail(error: unknown): void {
    this.lost = { error };
    this.#over.reject(error);
  }
}

/**
 * A commit waits for the disk, and SQLite blocks the whole process during this time. Therefore all writes of one
 * iteration of the event loop are committed together at its end. Each transaction is a savepoint within this commit,
 * and the transactions run one after another. A transaction that fails rolls back only its own savepoint. Under load,
 * an iteration takes a few milliseconds. Between iterations, the process can send acknowledgements and requests, and
 * accept new work.
 */
class GroupingDriver implements Driver {
  readonly #path: string;
  readonly #open: () => DatabaseSync;
  #database: DatabaseSync | undefined;
  #statements: Statements | undefined;
  #group: Group | undefined;
  /** Whether a transaction or query is in progress. */
  #taken = false;
  readonly #waiting: (() => void)[] = [];
  /** The time at which work began in this iteration of the event loop. Undefined before any work. */
  #since: number | undefined;
  #overdue = false;

  constructor(path: string, open: () => DatabaseSync) {
    this.#path = path;
    this.#open = open;
  }

  async init(): Promise<void> {
    this.#database = this.#open();
    this.#statements = new Statements(this.#database, this.#path);
  }

  async acquireConnection(): Promise<Connection> {
    return new Connection(this);
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: Connection): Promise<void> {
    await this.#turn();
    try {
      const group = this.#join();
      this.#do('savepoint unit');
      connection.group = group;
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  async commitTransaction(connection: Connection): Promise<void> {
    const { group } = connection;
    if (group?.lost) throw group.lost.error;
    this.#do('release unit');
    // A failed commit undoes all changes, so this transaction does not have to roll back.
    connection.group = undefined;
    this.#leave();
    await group?.committed;
  }

  async rollbackTransaction(connection: Connection): Promise<void> {
    const { group } = connection;
    if (!group) return;
    connection.group = undefined;
    try {
      if (group.lost) return;
      this.#do('rollback to unit');
      this.#do('release unit');
    } finally {
      this.#leave();
    }
  }

  /**
   * Runs a query. A query inside a transaction runs at once. A query outside a transaction becomes a transaction of its
   * own, and waits until the connection is free.
   */
  async execute<Row>(query: CompiledQuery, within: Group | undefined): Promise<QueryResult<Row>> {
    const { kind } = query.query;
    if (within?.lost) throw within.lost.error;
    if (within) return this.#run(query);
    await this.#turn();
    let group: Group | undefined;
    let result: QueryResult<Row>;
    try {
      if (WRITES.has(kind)) group = this.#join();
      else if (kind === 'SelectQueryNode') group = this.#group;
      // A pragma or a schema change cannot be part of a transaction, so all earlier changes are committed first.
      else this.#commit();
      // A savepoint is not needed here, because a failed statement has no effect.
      result = this.#run(query);
      if (kind !== 'SelectQueryNode' && !WRITES.has(kind)) this.#statements?.forget();
    } finally {
      this.#leave();
    }
    // A query that only reads also waits for the commit, because a failed commit would undo the changes that the query
    // has read.
    await group?.committed;
    return result;
  }

  async destroy(): Promise<void> {
    if (!this.#taken) this.#commit();
    this.#database?.close();
  }

  #do(sql: string): void {
    this.#run({ sql, parameters: [] });
  }

  #run<Row>(query: Pick<CompiledQuery, 'sql' | 'parameters'>): QueryResult<Row> {
    if (!this.#statements) throw new Error('The database is not open');
    try {
      return this.#statements.run(query);
    } catch (error) {
      // Some errors, for example a full disk, end not only the statement but the whole transaction.
      if (!this.#isInTransaction()) this.#end()?.fail(error);
      throw error;
    }
  }

  #join(): Group {
    if (this.#group) return this.#group;
    this.#do('begin');
    this.#group = new Group();
    return this.#group;
  }

  #end(): Group | undefined {
    const group = this.#group;
    this.#group = undefined;
    return group;
  }

  #commit(): void {
    const group = this.#end();
    if (!group) return;
    try {
      this.#do('commit');
      group.succeed();
    } catch (error) {
      group.fail(error);
    }
  }

  #isInTransaction(): boolean {
    return this.#database?.isOpen === true && this.#database.isTransaction;
  }

  /** Waits until no other work is in progress, and then reserves the connection. */
  async #turn(): Promise<void> {
    if (this.#since === undefined) {
      this.#since = performance.now();
      setImmediate(() => this.#turned());
    }
    if (this.#isFree() && this.#waiting.length === 0) this.#taken = true;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    // After a failed commit, SQLite may still have an open transaction.
    if (!this.#group && this.#isInTransaction()) this.#rollBack();
  }

  #rollBack(): void {
    try {
      this.#do('rollback');
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #isFree(): boolean {
    return !this.#taken && (this.#since === undefined || performance.now() - this.#since <= HOLD_MS);
  }

  #leave(): void {
    this.#taken = false;
    if (this.#overdue) this.#turned();
    else this.#next();
  }

  #next(): void {
    if (!this.#isFree()) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#taken = true;
    next();
  }

  /** Called at the end of an iteration of the event loop. Commits everything that was written so far. */
  #turned(): void {
    this.#overdue = this.#taken;
    if (this.#taken) return;
    this.#commit();
    this.#since = undefined;
    if (this.#waiting.length === 0) return;
    this.#since = performance.now();
    setImmediate(() => this.#turned());
    this.#next();
  }
}

class Connection implements DatabaseConnection {
  readonly #driver: GroupingDriver;
  /** The transaction's group. Undefined outside a transaction. */
  group: Group | undefined;

  constructor(driver: GroupingDriver) {
    this.#driver = driver;
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#driver.execute(query, this.group);
  }

  // biome-ignore lint/correctness/useYield: nothing here is read piece by piece
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('SQLite answers whole');
  }
}
