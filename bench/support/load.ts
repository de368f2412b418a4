/** Sends POST requests from a separate thread, so that the measured thread does not do this work. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Pool } from 'undici';

export interface Load {
  readonly origin: string;
  readonly connections: number;
  readonly posts: readonly { readonly path: string; readonly body: string }[];
}

/**
 * `ms` is the time of all requests. `each` contains the time of each request, shortest first. All times are in
 * milliseconds.
 */
export interface Loaded {
  readonly ms: number;
  readonly each: readonly number[];
}

/** Resolves when every request was answered with 200. Rejects if a request received a different answer. */
export interface Loader {
  run(load: Load): Promise<Loaded>;
  close(): Promise<void>;
}

export function startLoader(): Loader {
  const worker = new Worker(new URL(import.meta.url));
  return {
    async run(load) {
      worker.postMessage(load);
      const [answer] = (await once(worker, 'message')) as [Loaded | { readonly error: string }];
      if ('error' in answer) throw new Error(answer.error);
      return answer;
    },
    close: async () => void (await worker.terminate()),
  };
}

async function send({ origin, connections, posts }: Load): Promise<Loaded> {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const each: number[] = [];
  const waiting = [...posts].reverse();
  const headers = { 'content-type': 'application/json' };
  const oneAfterTheOther = async () => {
    for (let post = waiting.pop(); post; post = waiting.pop()) {
      const start = performance.now();
      const answer = await pool.request({ ...post, method: 'POST', headers });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`Answered ${answer.statusCode}`);
      each.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, oneAfterTheOther));
  const ms = performance.now() - start;
  await pool.close();
  return { ms, each: each.toSorted((a, b) => a - b) };
}

if (!isMainThread)
  parentPort?.on('message', (load: Load) => {
    send(load).then(
      (loaded) => parentPort?.postMessage(loaded),
      (error: unknown) => parentPort?.postMessage({ error: String(error) }),
    );
  });
