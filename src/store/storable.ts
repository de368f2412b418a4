/**
 * Turns a parameter into a value that both databases store as the same text. PostgreSQL refuses a NUL in any text, so a
 * text with a NUL (for example in an error from Edgegap) could not be stored. The NUL is removed, as in cards. A lone
 * surrogate stays, because both databases receive it as U+FFFD in UTF-8.
 */
export function storable(parameter: unknown): unknown {
  return typeof parameter === 'string' ? parameter.replaceAll('\0', '') : parameter;
}
