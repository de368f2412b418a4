import { type Driver, SqliteDialect } from 'kysely';

/** So long may work on the store keep everything else waiting, in milliseconds. */
const HOLD_MS = 10;

/**
 * SQLite answers at once and its commits block until the disk has them. Hundreds of them in a row would follow each
 * other without anything else being heard, no acknowledgement sent and no request: so the event loop turns in between.
 */
export class ConsiderateDialect extends SqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    let turnedAt = performance.now();
    driver.acquireConnection = async (options) => {
      const connection = await acquire(options);
      if (performance.now() - turnedAt > HOLD_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        turnedAt = performance.now();
      }
      return connection;
    };
    return driver;
  }
}
