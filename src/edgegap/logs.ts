import { Buffer, isAscii } from 'node:buffer';
import { type CrashData, LogsAnswer } from './schema.ts';

/**
 * The maximum length of a line in base64 text that contains line breaks. A line has at most 76 characters (RFC 2045,
 * section 6.8), followed by a line break of two characters.
 */
const LONGEST_LINE = 78;

/** The log of a container as text. */
export interface Logs {
  /** The whole log. Empty if there is no log. */
  logs: string;
  /** After a crash, the log of the run that crashed. */
  crash_logs: string | undefined;
  crash_data?: CrashData | undefined;
  /** The address of the stored log, if the version has an endpoint storage. */
  logs_link: string | undefined;
}

/** Reads the answer of `EdgegapClient.logBytes`. Throws if the answer has an unexpected format. */
export function readLogs(bytes: ArrayBuffer): Logs {
  return decodeLogs(LogsAnswer.parse(JSON.parse(textOf(Buffer.from(bytes)))));
}

export function decodeLogs({ logs = '', crash_logs, encoding, ...rest }: LogsAnswer): Logs {
  const decode = /base64/i.test(encoding ?? '') ? fromBase64 : (text: string) => text;
  return { ...rest, logs: decode(logs), crash_logs: crash_logs && decode(crash_logs) };
}

/**
 * Decodes base64. Edgegap reports only one `encoding` for two texts, so a text that is not base64 is returned
 * unchanged.
 */
function fromBase64(text: string): string {
  // A log may be long, so each step reads the text only once.
  const packed = /[\r\n]/.test(text.slice(0, LONGEST_LINE)) ? text.replace(/[\r\n]/g, '') : text;
  if (packed.length % 4 !== 0 || packed.includes('-') || packed.includes('_')) return text;
  const bytes = Buffer.from(packed, 'base64');
  // Node.js skips characters that are not base64. The number of decoded bytes therefore shows whether the whole text
  // was base64.
  const padding = packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0;
  return bytes.length === (packed.length / 4) * 3 - padding ? textOf(bytes) : text;
}

/** Decodes UTF-8. Most logs are ASCII, and Node.js decodes ASCII three times faster as Latin-1. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
}
