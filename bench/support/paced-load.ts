/** Sends POST requests at a steady rate from a separate thread, and does not wait for the answers. */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Pool } from 'undici';

export interface PacedPosts {
  readonly origin: string;
  readonly path: string;
  readonly everyMs: number;
  readonly posts: readonly { readonly headers: Record<string, string>; readonly body: string }[];
}

/** Resolves with the milliseconds from each request to its answer. Rejects if an answer was not 200. */
export interface PacedLoader {
  run(load: PacedPosts): Promise<readonly number[]>;
  close(): Promise<void>;
}

export function startPacedLoader(): PacedLoader {
  const worker = new Worker(new URL(import.meta.url));
  return {
    async run(load) {
      worker.postMessage(load);
      const [answer] = (await once(worker, 'message')) as [number[] | { readonly error: string }];
      if ('error' in answer) throw new Error(answer.error);
      return answer;
    },
    close: async () => void (await worker.terminate()),
  };
}

/** Calls `act` at a steady rate. Resolves with the results when every call of `act` has resolved. */
export async function paced<Item, Result>(
  items: readonly Item[],
  everyMs: number,
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const start = performance.now();
  const results: Promise<Result>[] = [];
  for (const [nth, item] of items.entries()) {
    const wait = start + nth * everyMs - performance.now();
    if (wait > 0) await setTimeout(wait);
    results.push(act(item));
  }
  return await Promise.all(results);
}

async function send({ origin, path, everyMs, posts }: PacedPosts): Promise<number[]> {
  const pool = new Pool(origin, { connections: 32, pipelining: 1 });
  const each = await paced(posts, everyMs, async (post) => {
    const start = performance.now();
    const answer = await pool.request({ ...post, path, method: 'POST' });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`Answered ${answer.statusCode}`);
    return performance.now() - start;
  });
  await pool.close();
  return each;
}

if (!isMainThread)
  parentPort?.on('message', (load: PacedPosts) => {
    send(load).then(
      (each) => parentPort?.postMessage(each),
      (error: unknown) => parentPort?.postMessage({ error: String(error) }),
    );
  });
