/**
 * Measures how long other people wait while the bot draws ten charts of the command `metrics`. Drawing in a thread is
 * compared with drawing on the event loop. The figure is the longest time for which the event loop is blocked. Each
 * round starts a new thread, so the figure includes the thread's start.
 */
import { pino } from 'pino';
import { createCharts } from '../src/chart/charts.ts';
import { draw } from '../src/chart/draw.ts';
import type { ChartSpec, Panel, Unit } from '../src/chart/spec.ts';
import { systemClock as clock } from '../src/clock.ts';
import type { Bench } from './support/bench.ts';
import { longestHold } from './support/hold.ts';

const CHARTS = 10;
/** The maximum time, in milliseconds, for which drawing may block the event loop. */
const MOST_MS = 50;
const MINUTE = 60_000;
const FROM = Date.UTC(2026, 2, 3, 10);
const MINUTES = 120;

export const bench: Bench = {
  about: 'The longest hold of the event loop while ten charts are drawn in the thread, against on the loop.',
  bar: { atMost: 0.5 },
  async run(print) {
    const specs = Array.from({ length: CHARTS }, (_, index) => spec(index));
    // The library is loaded before the first round.
    await draw(spec(0));
    const onLoop = await longestHold(async () => {
      for (const one of specs) await draw(one);
    });
    let size = 0;
    const inThread = await longestHold(async () => {
      const charts = createCharts({ clock, log: pino({ level: 'silent' }) });
      const drawn = await Promise.all(specs.map((one) => charts.draw(one)));
      size = drawn.reduce((sum, { byteLength }) => sum + byteLength, 0);
      await charts.stop();
    });
    print(`${CHARTS} charts of three panels, ${Math.round(size / 1024)} KiB together`);
    print(
      `drawn on the event loop: held for ${onLoop.toFixed(1)} ms; in the thread: ${inThread.toFixed(1)} ms`,
    );
    const wrong = inThread > MOST_MS ? [`the event loop was held for ${inThread.toFixed(0)} ms`] : [];
    return { ratio: inThread / onLoop, wrong };
  },
};

/** A chart of two hours with one measurement per minute. */
function spec(shift: number): ChartSpec {
  const panel = (title: string, unit: Unit, most: number, labels: readonly string[]): Panel => ({
    title,
    unit,
    limit: { label: `limit ${most}`, value: most },
    series: labels.map((label, line) => ({
      label,
      points: Array.from({ length: MINUTES + 1 }, (_, minute): [number, number] => [
        FROM + minute * MINUTE,
        (most / 2) * (1 + Math.sin((minute + shift) / 9 + line) / 2),
      ]),
    })),
  });
  return {
    from: FROM,
    to: FROM + MINUTES * MINUTE,
    gaps: [[FROM + 30 * MINUTE, FROM + 40 * MINUTE]],
    panels: [
      panel('CPU', 'vCPU', 0.5, ['used']),
      panel('Memory', 'MB', 1_024, ['used']),
      panel('Network', 'bytes/s', 500_000, ['in', 'out']),
    ],
  };
}
