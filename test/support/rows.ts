import { DatabaseSync } from 'node:sqlite';

/** Reads every row of every table. No process may be using the database. */
export function rowsIn(path: string): object[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = database.prepare("select name from sqlite_schema where type = 'table'").all();
  const rows = tables.flatMap(({ name }) => database.prepare(`select * from "${name}"`).all());
  database.close();
  return rows;
}
