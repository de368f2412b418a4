/** What can go wrong between a client and Slack, on demand. `response_url` stands for all of those. */
export type SlackFault =
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'rate-limit'; readonly retryAfter: number }
  | { readonly kind: 'status'; readonly status: number; readonly when: 'before' | 'after' }
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' };

export class SlackFaults {
  readonly #waiting: { method: string; fault: SlackFault; times: number }[] = [];

  /** The next `times` calls of this method fail like this. */
  inject(method: string, fault: SlackFault, times = 1): void {
    this.#waiting.push({ method, fault, times });
  }

  take(method: string): SlackFault | undefined {
    const next = this.#waiting.find((waiting) => waiting.method === method && waiting.times > 0);
    if (!next) return undefined;
    next.times -= 1;
    return next.fault;
  }
}
