/**
 * A parameter with the same text in both databases. PostgreSQL refuses a NUL in any text, so a text with a NUL (for
 * example from an error of Edgegap) could never be stored: the NUL is left out, as in cards. Half a surrogate pair
 * needs no care: UTF-8 writes U+FFFD instead, for both databases.
 */
export function storable(parameter: unknown): unknown {
  return typeof parameter === 'string' ? parameter.replaceAll('\0', '') : parameter;
}
