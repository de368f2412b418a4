import { LogLevel } from '@slack/bolt';
import type { Logger } from '../../log.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** What Bolt and its clients log, as lines of ours. Their debug lines hold whole payloads, so they stay out. */
export function createBoltLogger(log: Logger) {
  const line =
    (level: Level) =>
    (...parts: unknown[]): void => {
      const error = parts.find((part) => part instanceof Error);
      const detail = parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
      log[level]({ detail, ...(error ? { err: error } : {}) }, 'slack sdk');
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
