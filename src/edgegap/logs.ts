import { Buffer } from 'node:buffer';
import { type CrashData, LogsAnswer } from './schema.ts';

/** The log of a container as text. */
export interface Logs {
  /** The whole log. Empty if there is no log. */
  logs: string;
  /** After a crash, the log of the run that crashed. */
  crash_logs: string | undefined;
  crash_data?: CrashData | undefined;
  /** The place where the log is kept, if the version has an endpoint storage. */
  logs_link: string | undefined;
}

/** Reads the answer of `EdgegapClient.logBytes`. Throws if the answer has another form. */
export function readLogs(bytes: Uint8Array): Logs {
  return decodeLogs(LogsAnswer.parse(JSON.parse(new TextDecoder().decode(bytes))));
}

export function decodeLogs({ logs = '', crash_logs, encoding, ...rest }: LogsAnswer): Logs {
  const decode = /base64/i.test(encoding ?? '') ? fromBase64 : (text: string) => text;
  return { ...rest, logs: decode(logs), crash_logs: crash_logs && decode(crash_logs) };
}

/**
 * Decodes base64. Edgegap tells only one `encoding` for the two texts, so this function returns a text unchanged if the
 * text is not base64.
 */
function fromBase64(text: string): string {
  const packed = text.replace(/[\r\n]/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return text;
  return Buffer.from(packed, 'base64').toString('utf8');
}
