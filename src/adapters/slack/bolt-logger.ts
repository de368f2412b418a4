import type { Logger } from '../../log.ts';
import { LogLevel } from './bolt-package.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * Passes the log lines of Bolt and its clients to the bot's log. Drops Bolt's debug lines, because these lines contain
 * whole payloads. `quiet` is for a client that also throws its errors. The caller then reports the error, so the
 * client's line is logged at debug level only.
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
