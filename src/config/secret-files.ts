import { readFileSync, statSync } from 'node:fs';

/**
 * Settings that are secrets. Container platforms provide secrets as files, so the value of each setting can also come
 * from a file. The setting `NAME_FILE` has the path of this file.
 */
export const SECRETS = [
  'EDGEGAP_API_TOKEN',
  'DISCORD_TOKEN',
  'SLACK_BOT_TOKEN',
  'SLACK_APP_TOKEN',
  'SLACK_SIGNING_SECRET',
  'DATABASE_URL',
] as const;

const MAX_BYTES = 16 * 1024;

/**
 * Reads the secrets whose files `set` names. The messages about problems never show a file's content or path, because
 * the path may be a secret that was pasted by mistake.
 */
export function readSecretFiles(set: Readonly<Record<string, string>>, settings: readonly string[]) {
  /** The contents of the files, by the names of the settings. */
  const values: Record<string, string> = {};
  /** Settings whose file cannot be used. Each of these settings counts as given, but has no value. */
  const unread: string[] = [];
  const problems: string[] = [];
  for (const name of settings) {
    const path = set[`${name}_FILE`];
    if (path === undefined) continue;
    if (!SECRETS.some((secret) => secret === name))
      problems.push(`${name}_FILE is not read: only secrets can be given as a file. Set ${name} itself`);
    else if (set[name] !== undefined) problems.push(`${name}_FILE is set beside ${name}: keep one of them`);
    else
      try {
        values[name] = contentOf(path);
      } catch (error) {
        unread.push(name);
        problems.push(`${name}_FILE ${reasonOf(error)}`);
      }
  }
  return { values, unread, problems };
}

/** A file that cannot be used. The message names the reason and the next step. */
class UnusableFile extends Error {}

function contentOf(path: string): string {
  const file = statSync(path);
  if (file.isDirectory()) throw new UnusableFile('names a folder: give the path of the file in it');
  // Reading a pipe or a device might never end, and would block the start.
  if (!file.isFile()) throw new UnusableFile('must name a plain file');
  if (file.size > MAX_BYTES)
    throw new UnusableFile(`names a file too large for a secret (over ${MAX_BYTES / 1024} KiB)`);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)).trim();
  if (text === '') throw new UnusableFile('names an empty file: put the secret into it');
  if (/[\r\n\0]|^(["']).*\1$|^[A-Z][A-Z_]+\s*=/.test(text))
    throw new UnusableFile(
      'must name a file with the secret alone in it: one line, without a name and quotation marks',
    );
  return text;
}

function reasonOf(error: unknown): string {
  if (error instanceof UnusableFile) return error.message;
  const { code = '' } = error as { code?: string };
  if (/^(?:ENOENT|ENOTDIR|ENAMETOOLONG)$/.test(code))
    return 'names a file that does not exist: give the path of a file with the secret in it';
  if (/^(?:EACCES|EPERM)$/.test(code))
    return 'names a file that I may not read: let the user that I run as read the file';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return 'names a file that holds no text: save the file as UTF-8';
  return `names a file that cannot be read (${code})`;
}
