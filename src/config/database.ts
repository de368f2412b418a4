const FILE = /^file:/i;
const POSTGRES = /^postgres(ql)?:/i;
/**
 * The scheme of a URL, with at least two letters, because `C:\` is the beginning of a path. A path with a colon in its
 * first folder can be written as `./a:b`.
 */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;
/** Settings in the form key=value, which libpq and drivers for .NET read. */
const PAIRS = /^\w+\s*=.*[\s;]\w+\s*=/;
/**
 * Matches an `@` in the part that the parser of URLs takes for the database's name. If there is no `@` before the host,
 * also matches an `@` after a `?` or `#`.
 */
const BEHIND_HOST = /^[^/]*\/\/(?:[^/?#]*\/[^?#]*@|[^/?#@]*[?#].*@)/;
/**
 * Matches a URL with a user but without a host. A URL must have a host, but libpq also reads the host from the query.
 */
const NO_HOST = /^([^/]*\/\/[^/?#]*@)(?=[:/?#]|$)/;
const EXAMPLE = 'postgres://user:password@host:5432/database';
const SOCKET_EXAMPLE = 'postgres://user:password@/database?host=/folder/of/the/socket';
const ESCAPED = 'in a password write @ as %40, / as %2F, ? as %3F and # as %23';

/**
 * Describes the mistake in a `DATABASE_URL`, without any password. The text follows the setting's name in the message.
 * Undefined for a good value.
 */
export function databaseProblem(value: string): string | undefined {
  if (POSTGRES.test(value)) return serverProblem(value);
  const [, scheme] = SCHEME.exec(value) ?? [];
  if (scheme !== undefined && !FILE.test(value))
    return `must be a file path, a file: URL or a postgres: URL, not a ${scheme}: URL`;
  if (isFileUrl(value)) {
    if (decoded(value) === undefined)
      return 'has a "%" that begins no character: a "%" itself is written %25';
    if (!URL.canParse(value) || new URL(value).host !== '')
      return 'names a host, and a file is on this machine: write file:///folder/file';
  }
  const path = databasePath(value);
  // The value most likely contains a password. As a path, it would become the name of a folder. The message therefore
  // does not show the value.
  if (path.includes('://')) return 'must be a file path or a URL, and nothing else';
  if (PAIRS.test(path)) return `must be a file path or a URL, such as ${EXAMPLE}, not a list of key=value`;
  return /(^|\/)$/.test(path) ? 'names no file: give its path, folder/file' : undefined;
}

function serverProblem(value: string): string | undefined {
  const url = URL.parse(withHost(value));
  const host = url?.searchParams.get('host') ?? (NO_HOST.test(value) ? '' : url?.hostname);
  if (!url || !host) return `must be a whole URL, such as ${EXAMPLE}, or ${SOCKET_EXAMPLE}; ${ESCAPED}`;
  // In a URL, user and password end at the first `/`, `?` or `#`. The rest would be read as the name of a database.
  if (BEHIND_HOST.test(value)) return `has an "@" behind its host: ${ESCAPED}`;
  return decoded(value) === undefined
    ? 'has a "%" that begins no character: a "%" itself, in a password say, is written %25'
    : undefined;
}

/** A `postgres:` URL, or a file path. */
export function databasePath(value: string): string {
  if (isFileUrl(value)) return decodeURIComponent(new URL(value).pathname);
  return POSTGRES.test(value) ? withHost(value) : value.replace(FILE, '');
}

/** Makes a value that `URL` can read. `URL` needs a host before the path, but pg also accepts a host in the query. */
function withHost(value: string): string {
  return value.replace(NO_HOST, '$1localhost');
}

/** The password in a `postgres:` URL, in two forms: decoded, and as written in the URL. */
export function passwordsOf(database: string): string[] {
  if (!POSTGRES.test(database)) return [];
  const { password, search, searchParams } = new URL(withHost(database));
  const inQuery = /[?&]password=([^&]*)/.exec(search)?.[1] ?? '';
  const all = [password, decodeURIComponent(password), inQuery, searchParams.get('password') ?? ''];
  return [...new Set(all)].filter((one) => one !== '');
}

function isFileUrl(value: string): boolean {
  return /^file:\/\//i.test(value);
}

/** The decoded text. Undefined if a `%` does not begin a valid code. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
