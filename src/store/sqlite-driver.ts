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

/** Work on the store may hold up all other work of the process for at most this many milliseconds. */
const HOLD_MS = 10;

const WRITES: ReadonlySet<string> = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode']);

/** Kysely's SQLite dialect, with a driver that decides in which order work is done. `open` may throw. */
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
 * Switches off Kysely's own lock. With this lock, Kysely would lend the single connection to one transaction after the
 * other, and each transaction would keep the connection until its commit is over.
 */
class UnlockedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/**
 * Transactions that are committed or undone together. The caller of each transaction learns of its success only after
 * the commit, because all changes may still be undone before that.
 */
class Group {
  readonly #over = Promise.withResolvers<void>();
  lost: { readonly error: unknown } | undefined;

  constructor() {
    // A transaction that fails by itself does not wait for the commit. If the commit then fails as well, its rejection
    // would be unhandled without this handler.
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
 * A commit takes as long as the disk takes, and SQLite blocks the whole process during this time. Therefore all writes
 * of a turn of the event loop are committed together at the end of the turn. Each transaction is a savepoint within
 * this commit, and the transactions run one after the other. A transaction that fails rolls back only its own
 * savepoint. Under load the event loop turns every few milliseconds, so acknowledgements and requests can leave in
 * between, and new work can join.
 */
class GroupingDriver implements Driver {
  readonly #path: string;
  readonly #open: () => DatabaseSync;
  #database: DatabaseSync | undefined;
  #statements: Statements | undefined;
  #group: Group | undefined;
  /** Whether a transaction or query is under way. */
  #taken = false;
  readonly #waiting: (() => void)[] = [];
  /** The time at which work began in this turn of the event loop. Undefined before any work has begun. */
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
    // If the commit fails, all its changes are undone. In this case there is nothing left for this transaction to roll
    // back.
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
   * Runs a query. A query inside a transaction runs at once. A query outside a transaction is a transaction of its own,
   * and waits for its turn.
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
      // A pragma or a change of the schema cannot be part of a transaction, so all earlier changes are committed first.
      else this.#commit();
      // No savepoint is needed here, because a single statement has no effect if it fails.
      result = this.#run(query);
      if (kind !== 'SelectQueryNode' && !WRITES.has(kind)) this.#statements?.forget();
    } finally {
      this.#leave();
    }
    // Even a query that only reads waits for the commit, because the changes that it has read may still be undone.
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
      // Some errors, for example a full disk, end the whole transaction and not only the statement.
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

  /** Waits until no other work is under way, and then takes the turn. */
  async #turn(): Promise<void> {
    if (this.#since === undefined) {
      this.#since = performance.now();
      setImmediate(() => this.#turned());
    }
    if (this.#isFree() && this.#waiting.length === 0) this.#taken = true;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    // If a commit has failed, SQLite may still have a transaction open.
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

  /** Called at the end of a turn of the event loop. Commits everything that was written so far. */
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
  /** The group that the transaction belongs to. Undefined outside a transaction. */
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
