import { AppError } from '../errors.ts';

/**
 * Builds a path in which each `${}` part is encoded. Empty parts, `.` and `..` are refused, because a proxy might
 * remove them from the path.
 */
export function path(strings: TemplateStringsArray, ...parts: string[]): string {
  return String.raw(
    { raw: strings },
    ...parts.map((part) => {
      if (part === '' || part === '.' || part === '..') {
        throw new AppError('edgegap-bad-name', `“${part}” is not a name that Edgegap can be asked about.`, {
          hint: 'Check the name and try again.',
        });
      }
      return encodeURIComponent(part.toWellFormed());
    }),
  );
}
