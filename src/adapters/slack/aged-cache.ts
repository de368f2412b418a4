import { LRUCache } from 'lru-cache';
import { type Clock, stopwatch } from '../../clock.ts';

/** An answer, or the promise of an answer, together with its age. */
interface Aged<Content> {
  readonly content: Content;
  /**
   * The time since the request was sent, not since the answer arrived, because the content may have changed in between.
   */
  readonly ageMs: () => number;
}

const KEYS = 2000;

/** Caches answers by key. If several callers ask for a key at the same time, the cache makes only a single request. */
export function createAgedCache<T>(clock: Clock, ask: (key: string) => Promise<T>) {
  const known = new LRUCache<string, Aged<T>>({ max: KEYS });
  const asking = new Map<string, Aged<Promise<T>>>();

  async function askNow(key: string): Promise<T> {
    const asked = { ageMs: stopwatch(clock), content: ask(key) };
    asking.set(key, asked);
    try {
      const content = await asked.content;
      if (asking.get(key) === asked) known.set(key, { content, ageMs: asked.ageMs });
      return content;
    } finally {
      if (asking.get(key) === asked) asking.delete(key);
    }
  }

  return {
    /**
     * Returns an answer that is at most `maxAge` ms old, from the cache or from a new request. If the request fails,
     * returns a cached answer that is at most `staleAge` ms old. If the cache has no such answer, throws the error of
     * the request.
     */
    async get(key: string, { maxAge, staleAge }: { maxAge: number; staleAge: number }): Promise<T> {
      const fresh = known.get(key);
      if (fresh && fresh.ageMs() <= maxAge) return fresh.content;
      try {
        const asked = asking.get(key);
        return await (asked && asked.ageMs() <= maxAge ? asked.content : askNow(key));
      } catch (error) {
        const stale = known.get(key);
        if (stale && stale.ageMs() <= staleAge) return stale.content;
        throw error;
      }
    },
    forget(key: string): void {
      known.delete(key);
      asking.delete(key);
    },
  };
}
