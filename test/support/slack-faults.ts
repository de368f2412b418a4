/** The faults of requests to Slack that a test orders. The name `response_url` means all response_urls. */
export type SlackFault =
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'rate-limit'; readonly retryAfter: number }
  | { readonly kind: 'status'; readonly status: number; readonly when: 'before' | 'after' }
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** The right answer comes late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The request takes effect, and its answer ends in the middle of the JSON. */
  | { readonly kind: 'broken' };

export class SlackFaults {
  readonly #chance: (method: string) => SlackFault | undefined;
  readonly #waiting: { method: string; fault: SlackFault; times: number }[] = [];

  /** `chance` is asked about every call for which no fault is planned. */
  constructor(chance: (method: string) => SlackFault | undefined = () => undefined) {
    this.#chance = chance;
  }

  /** The next `times` calls of this method fail like this. */
  inject(method: string, fault: SlackFault, times = 1): void {
    this.#waiting.push({ method, fault, times });
  }

  take(method: string): SlackFault | undefined {
    const next = this.#waiting.find((waiting) => waiting.method === method && waiting.times > 0);
    if (!next) return this.#chance(method);
    next.times -= 1;
    return next.fault;
  }
}
