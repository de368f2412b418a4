/** A time in the API's own form: UTC, no zone, microseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '000');
}
