import { Buffer } from 'node:buffer';
import type { CrashData, LogsAnswer } from './schema.ts';

/** A container's log as text. */
export interface Logs {
  /** The whole log, or '' without a log. */
  logs: string;
  /** The log of the run that crashed, after a crash. */
  crash_logs: string | undefined;
  crash_data?: CrashData | undefined;
  /** Where the log is kept, when the version has an endpoint storage. */
  logs_link: string | undefined;
}

export function decodeLogs({ logs = '', crash_logs, encoding, ...rest }: LogsAnswer): Logs {
  const decode = /base64/i.test(encoding ?? '') ? fromBase64 : (text: string) => text;
  return { ...rest, logs: decode(logs), crash_logs: crash_logs && decode(crash_logs) };
}

/** Edgegap gives a single `encoding` for both texts; a text that is not base64 stays as it is. */
function fromBase64(text: string): string {
  const packed = text.replace(/[\r\n]/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return text;
  return Buffer.from(packed, 'base64').toString('utf8');
}
