/**
 * Measures how much work it is to find the new lines in a followed log. The log grows by 1 MB per second. A log that
 * has grown to 24 MB is compared with a log that has grown to 1 MB. The work includes all threads and starts with
 * Edgegap's answer: decoding the answer, and finding and masking the new lines.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLog } from '../src/log.ts';
import type { Look } from '../src/tail/look.ts';
import { createReader } from '../src/tail/reader.ts';
import { TestClock } from '../test/support/test-clock.ts';
import type { Bench } from './support/bench.ts';
import { longestHold } from './support/hold.ts';
import { median } from './support/median.ts';

const MB = 1_000_000;
const LARGE = 24;
const ROUNDS = 7;
const TAILS = 5;
/** The maximum time, in milliseconds, for which a reading of the log may block the event loop. */
const MOST_MS = 50;
/** The maximum memory that each followed log may use between two readings. */
const MOST_KEPT = 2 * MB;

export const bench: Bench = {
  about: 'The work for each new byte of a log of 24 MB that grows by 1 MB a second, against a log of 1 MB.',
  bar: { atMost: 1.5 },
  async run(print) {
    const wrong: string[] = [];
    let ratio = 0;
    for (const encoding of ['utf-8', 'base64'] as const) {
      const tail = openTail(encoding);
      const [small, large] = [await tail.grownTo(1), await tail.grownTo(LARGE)];
      const works: [number, number][] = [];
      for (let round = 0; round < ROUNDS; round++) works.push([(await small()).work, (await large()).work]);
      const [one, other] = [0, 1].map((side) => median(works.map((work) => work[side] ?? 0)));
      print(`${encoding}: ${ns(one)} ns for each new byte of a log of 1 MB, ${ns(other)} ns at ${LARGE} MB`);
      ratio = Math.max(ratio, (other ?? Number.NaN) / (one ?? Number.NaN));
      const held = await longestHold(large);
      print(`${encoding}: the event loop was held for ${held.toFixed(1)} ms`);
      if (held > MOST_MS) wrong.push(`${encoding}: the event loop was held for ${held.toFixed(0)} ms`);
      const kept = await tail.keptBy(large);
      print(`${encoding}: each tail keeps ${(kept / 1_000).toFixed(0)} kB between two looks`);
      if (kept > MOST_KEPT) wrong.push(`${encoding}: each tail keeps ${(kept / MB).toFixed(1)} MB`);
      await tail.stop();
    }
    return { ratio, wrong };
  },
};

/** Opens a log that Edgegap sends in this encoding. */
function openTail(encoding: 'utf-8' | 'base64') {
  const clock = new TestClock();
  const log = createLog({ level: 'silent', secrets: [] });
  const reader = createReader({ clock, realClock: new TestClock(), log });
  let looks = 0;
  /** Reads the log. `workOf` measures the `work`. */
  const look = async (body: Uint8Array<ArrayBuffer>, before?: Look) => {
    const answer = body.slice().buffer;
    const api = { logBytes: async () => answer };
    const source = {
      account: 'default',
      api,
      request_id: `${looks++}`,
      signal: new AbortController().signal,
    };
    const job = { before: before?.mark, lines: 10, secrets: [] };
    const { result, work } = await workOf(() => reader.look(source, job));
    // After this time, the reader no longer shares the answer with other people who follow the same log.
    await clock.advance(1_001);
    return { seen: result, work };
  };
  return {
    /** Prepares a log of `size` MB whose last MB is new. Each call of the result reads this log once. */
    async grownTo(size: number) {
      const [earlier, later] = [bodyOf(size - 1, encoding), bodyOf(size, encoding)];
      const { seen } = await look(earlier);
      return () => look(later, seen);
    },
    async keptBy(one: () => ReturnType<typeof look>): Promise<number> {
      await one();
      const before = await memory();
      const kept: Look[] = [];
      for (let n = 0; n < TAILS; n++) kept.push((await one()).seen);
      return ((await memory()) - before) / kept.length;
    },
    stop: () => reader.stop(),
  };
}

function bodyOf(size: number, encoding: string): Uint8Array<ArrayBuffer> {
  let log = '';
  for (let n = 0; log.length < size * MB; n++)
    log += `2026-03-03T16:02:09.${n % 1_000}Z [net] player ${n} connected from 10.0.0.1, ping ${n % 90} ms\n`;
  const logs = encoding === 'base64' ? Buffer.from(log).toString('base64') : log;
  return new TextEncoder().encode(JSON.stringify({ logs, encoding, crash_logs: null, logs_link: null }));
}

/** Runs a function, and measures how much processor time all threads of the process used. `work` is in milliseconds. */
async function workOf<T>(run: () => Promise<T>): Promise<{ result: T; work: number }> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  return { result, work: (user + system) / 1_000 };
}

async function memory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // The memory of buffers is freed only after a garbage collection.
  for (let n = 0; n < 3; n++) {
    collect();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function ns(ms = Number.NaN): string {
  return ((ms * 1_000_000) / MB).toFixed(0);
}
