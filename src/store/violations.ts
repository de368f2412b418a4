/** PostgreSQL's `unique_violation`, and SQLite's `SQLITE_CONSTRAINT_UNIQUE`. */
const POSTGRES_UNIQUE = '23505';
const SQLITE_UNIQUE = 2067;

/** Whether the database refused a row because there is another one of the same unique values. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === POSTGRES_UNIQUE || errcode === SQLITE_UNIQUE;
}
