/** The faults that a test adds to requests to Slack. The name `response_url` stands for all response_urls. */
export type SlackFault =
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'rate-limit'; readonly retryAfter: number }
  | { readonly kind: 'status'; readonly status: number; readonly when: 'before' | 'after' }
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** Sends the right answer, but late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The request takes effect, but the answer stops in the middle of the JSON. */
  | { readonly kind: 'broken' };

export class SlackFaults {
  readonly #chance: (method: string) => SlackFault | undefined;
  readonly #waiting: { method: string; fault: SlackFault; times: number }[] = [];

  /** `chance` is called for every request without a planned fault, and may return a fault. */
  constructor(chance: (method: string) => SlackFault | undefined = () => undefined) {
    this.#chance = chance;
  }

  /** The next `times` calls of this method get this fault. */
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
