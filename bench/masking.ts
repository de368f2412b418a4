/**
 * Measures how long other people wait while the command `logs` prepares the last lines of a log of 16 MiB. A log that
 * is slow to mask on purpose is compared with a normal log. The figure is the longest time for which the event loop is
 * blocked.
 */

import { maskedTail } from '../src/log/tail.ts';
import type { Bench } from './support/bench.ts';
import { longestHold } from './support/hold.ts';

const LENGTH = 16 * 1024 * 1024;
/** The maximum time, in milliseconds, for which a text may block the event loop. */
const MOST_MS = 50;
const PLAIN = '2026-03-03T16:02:09Z [net] ada connected from 10.0.0.1, ping 12 ms\n';
const HOSTILE = [
  `${'{value=│'.repeat(250)}\n`,
  `${'token=true '.repeat(40)}\n`,
  `${'"token":"'.repeat(900)}`,
  `${'password is '.repeat(30)}\n`,
  `${'value=x,key=TOKEN,'.repeat(20)}\n`,
  `${'10%\r'.repeat(300)}\n`,
  '\n',
];

export const bench: Bench = {
  about: 'The longest hold of the event loop by a hostile log of 16 MiB, against a plain one.',
  bar: undefined,
  async run(print) {
    const plain = await holdBy(PLAIN);
    print(`  a plain log: ${plain.toFixed(1)} ms`);
    let worst = 0;
    for (const line of HOSTILE) {
      const held = await holdBy(line);
      print(`  ${JSON.stringify(line.slice(0, 20))} again and again: ${held.toFixed(1)} ms`);
      worst = Math.max(worst, held);
    }
    const wrong = worst > MOST_MS ? [`the event loop was held for ${worst.toFixed(0)} ms`] : [];
    return { ratio: worst / plain, wrong };
  },
};

/** Returns the longest time, in milliseconds, for which a log of this repeated line blocks the event loop. */
async function holdBy(line: string): Promise<number> {
  // The log is a single string, like a log from the network.
  const log = Buffer.from(line.repeat(Math.ceil(LENGTH / line.length))).toString();
  return await longestHold(() => maskedTail(log, 5_000, []));
}
