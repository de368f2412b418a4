/** A time as the API writes it: UTC, no zone, microseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '000');
}
