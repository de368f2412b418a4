import { LogLevel } from '@slack/bolt';
import type { Logger } from '../../log.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * What Bolt and its clients log, as lines of ours. Their own debug lines hold whole payloads, so they stay out.
 * `quiet` is for what also throws: it is then told once, by whoever called.
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
