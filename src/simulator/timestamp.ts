/** Formats a time as the API does: UTC without a time zone and with microseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '000');
}
