/**
 * A parameter as both databases take it, and with the same text in both. PostgreSQL refuses a NUL in any text, so
 * whatever came with one, in an error of Edgegap's say, could never be written down: it is left out, as it is where
 * cards are drawn. Half a surrogate pair needs no care: as UTF-8 it is U+FFFD, on its way to either.
 */
export function storable(parameter: unknown): unknown {
  return typeof parameter === 'string' ? parameter.replaceAll('\0', '') : parameter;
}
