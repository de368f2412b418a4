import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from '../errors.ts';

const BOM = '\uFEFF';
const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/s;
const COMMENTED = /^\s*#\s*([A-Z][A-Z0-9_]*)=/;
const QUOTES = ['"', "'", '`'];

/** One or more whole lines of the file. A value in quotation marks can take several lines. */
interface Part {
  readonly text: string;
  /** The number of the first line, counted from 1. */
  readonly line: number;
  /** The setting that these lines set. */
  readonly name?: string;
  /** The text after the `=`, exactly as in the file. */
  readonly written?: string;
}

/** A fault in the file. `name` is the setting that the fault concerns. */
export interface EnvFileProblem {
  readonly kind:
    | 'encoding'
    | 'bom'
    | 'unclosed'
    | 'quotes'
    | 'cut'
    | 'twice'
    | 'no-setting'
    | 'windows-lines';
  readonly line: number;
  readonly name?: string;
}

/**
 * Reads a file in the format of Node's option `--env-file`, and returns the values that Node would read. Unlike Node,
 * skips a byte order mark. The lines of the file are kept, so that a change of the file preserves the comments.
 */
export function readEnvFile(bytes: Uint8Array) {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const hasBom = decoded.startsWith(BOM);
  const text = hasBom ? decoded.slice(1) : decoded;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const parts = partsOf(text.split(/\r?\n/));
  const problems: EnvFileProblem[] = [];
  if (utf16) problems.push({ kind: 'encoding', line: 1 });
  if (hasBom) problems.push({ kind: 'bom', line: 1, ...nameOf(parts[0]) });
  const seen = new Set<string>();
  for (const { line, text: written, ...part } of parts) {
    if (part.name === undefined) {
      if (!/^\s*(?:#|$)/.test(written) && !utf16) problems.push({ kind: 'no-setting', line });
      continue;
    }
    const value = part.written ?? '';
    const at = { line, name: part.name };
    if (seen.has(part.name)) problems.push({ kind: 'twice', ...at });
    seen.add(part.name);
    const quote = QUOTES.find((mark) => value.startsWith(mark));
    if (quote === undefined) {
      if (/\S#/.test(value.replace(/\s#.*$/s, ''))) problems.push({ kind: 'cut', ...at });
    } else if (!value.slice(1).includes(quote)) problems.push({ kind: 'unclosed', ...at });
    else problems.push({ kind: 'quotes', ...at });
  }
  if (eol === '\r\n') problems.push({ kind: 'windows-lines', line: 1 });
  const values = utf16 ? {} : (parseEnv(text.replaceAll('\r\n', '\n')) as Record<string, string>);
  return {
    values: values as Readonly<Record<string, string>>,
    problems: problems as readonly EnvFileProblem[],
    /**
     * Returns the text of the file with these settings changed. A setting that the file already has stays on its line.
     * A new setting follows its commented example, or is added at the end. All other lines stay unchanged.
     */
    with: (changes: Readonly<Record<string, string>>): string => changed(parts, changes, eol),
  };
}

/**
 * Adds the variables of a file to an environment, by default to the environment of this process. A variable that the
 * environment already has keeps its value, even an empty value. A file that does not exist adds nothing. Throws
 * ConfigError if the file cannot be read.
 */
export function addEnvFile(
  file = '.env',
  environment: Record<string, string | undefined> = process.env,
): void {
  const { values, problems } = readEnvFile(bytesOf(file));
  if (problems.some(({ kind }) => kind === 'encoding'))
    throw new ConfigError([`${file} is saved as UTF-16, so no setting can be read: save the file as UTF-8`]);
  for (const [name, value] of Object.entries(values)) environment[name] ??= value;
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT') return new Uint8Array();
    throw new ConfigError([`${file} cannot be read (${code}): let the user that runs the bot read the file`]);
  }
}

/**
 * The text of a value in the file. The value is quoted where necessary, because Node cuts an unquoted value at `#` and
 * trims it.
 */
function valueText(value: string): string {
  if (!/[#\n\r"'`]|^\s|\s$/.test(value)) return value;
  const quote = QUOTES.find((mark) => !value.includes(mark)) ?? '"';
  return `${quote}${value}${quote}`;
}

function changed(parts: readonly Part[], changes: Readonly<Record<string, string>>, eol: string): string {
  const left = new Map(Object.entries(changes).map(([name, value]) => [name, `${name}=${valueText(value)}`]));
  const last = (test: (part: Part) => string | undefined) =>
    new Map(parts.flatMap((part, at) => (test(part) === undefined ? [] : [[test(part), at]])));
  // If the file has a setting twice, Node reads the last value.
  const assigned = last(({ name }) => name);
  const commented = last(({ text }) => COMMENTED.exec(text)?.[1]);
  const lines = parts.flatMap(({ text, name }, at): string[] => {
    if (name !== undefined && assigned.get(name) === at && left.has(name)) {
      const line = left.get(name) ?? '';
      left.delete(name);
      return [line];
    }
    const example = COMMENTED.exec(text)?.[1];
    const below =
      example !== undefined && !assigned.has(example) && commented.get(example) === at
        ? left.get(example)
        : undefined;
    if (example === undefined || below === undefined) return [text];
    left.delete(example);
    return [text, below];
  });
  while (lines.at(-1)?.trim() === '') lines.pop();
  return `${[...lines, ...left.values()].join('\n').replaceAll('\r\n', '\n').replaceAll('\n', eol)}${eol}`;
}

function partsOf(lines: readonly string[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < lines.length; at++) {
    const first = lines[at] ?? '';
    const line = at + 1;
    const [, name, written = ''] = ASSIGNMENT.exec(first) ?? [];
    if (name === undefined) {
      parts.push({ text: first, line });
      continue;
    }
    const quote = QUOTES.find((mark) => written.startsWith(mark));
    const isOpen = quote !== undefined && !written.slice(1).includes(quote);
    const end = isOpen ? lines.findIndex((one, index) => index > at && one.includes(quote)) : at;
    const last = end < 0 ? at : end;
    const more = lines.slice(at + 1, last + 1);
    // If a setting begins on one of the further lines, the quotation mark was left open by mistake.
    const isRunaway = isOpen && (end < 0 || more.some((one) => /^\s*[A-Z][A-Z0-9_]+\s*=/.test(one)));
    if (isRunaway) parts.push({ text: first, line, name, written });
    else {
      parts.push({ text: [first, ...more].join('\n'), line, name, written: [written, ...more].join('\n') });
      at = last;
    }
  }
  return parts;
}

function nameOf(part: Part | undefined): { name?: string } {
  return part?.name === undefined ? {} : { name: part.name };
}
