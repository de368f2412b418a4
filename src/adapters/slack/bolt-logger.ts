import type { Logger } from '../../log.ts';
import { LogLevel } from './bolt-package.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * Passes the log lines of Bolt and its clients to the bot's log. Drops debug lines, because debug lines contain whole
 * payloads. `quiet` is for a client that also throws its errors. The caller of the client then reports the error, so
 * the client's own lines are logged only at debug level.
 */
export function createBoltLogger(log: Logger, { quiet = false } = {}) {
  const line =
    (level: Level) =>
    (...parts: unknown[]): void => {
      const error = parts.find((part) => part instanceof Error);
      const detail = parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
      log[quiet ? 'debug' : level]({ detail, ...(error ? { err: error } : {}) }, 'slack sdk');
    };
  return {
    debug: () => {},
    info: line('debug'),
    warn: line('warn'),
    error: line('error'),
    getLevel: () => LogLevel.INFO,
    setLevel: () => {},
    setName: () => {},
  };
}
