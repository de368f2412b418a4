import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Charts, createCharts } from '../../src/chart/charts.ts';
import { inUnit } from '../../src/chart/format.ts';
import type { ChartSpec, Panel, Point } from '../../src/chart/spec.ts';
import { createLog } from '../../src/log.ts';
import { TestClock } from '../support/test-clock.ts';

const MINUTE = 60_000;
const FROM = Date.UTC(2026, 2, 3, 10);
const TO = FROM + 120 * MINUTE;
const BLUE = [0x56, 0xb4, 0xe9] as const;
const RED = [0xff, 0x7a, 0x70] as const;

const minutes = (value: (minute: number) => number | null): Point[] =>
  Array.from({ length: 121 }, (_, minute) => [FROM + minute * MINUTE, value(minute)]);

const panel = (points: readonly Point[], more: Partial<Panel> = {}): Panel => ({
  title: 'CPU',
  unit: 'number',
  series: [{ label: 'used', points }],
  ...more,
});

describe('charts', () => {
  let clock: TestClock;
  let charts: Charts;
  beforeEach(() => {
    clock = new TestClock();
    charts = createCharts({ clock, log: createLog({ level: 'silent', secrets: [] }) });
  });
  afterEach(() => charts.stop());

  async function pixels(spec: Partial<ChartSpec>) {
    const image = await loadImage(
      Buffer.from(await charts.draw({ from: FROM, to: TO, gaps: [], panels: [], ...spec })),
    );
    const context = createCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
    /** The rows of the picture, counted from the top, in which this column has this colour. */
    const rows = (x: number, [r, g, b]: readonly [number, number, number]) =>
      Array.from({ length: height }, (_, y) => y).filter((y) => {
        const at = (y * width + x) * 4;
        return (
          Math.abs((data[at] ?? 0) - r) +
            Math.abs((data[at + 1] ?? 0) - g) +
            Math.abs((data[at + 2] ?? 0) - b) <
          30
        );
      });
    const columns = (color: readonly [number, number, number]) =>
      Array.from({ length: width }, (_, x) => x).filter((x) => rows(x, color).length > 0);
    return { width, height, rows, columns };
  }

  it('the picture of a chart is 800 pixels wide, with a height of 300 pixels for each panel', async () => {
    const flat = panel(minutes(() => 5));
    const { width, height } = await pixels({ panels: [flat, flat, flat] });
    expect([width, height]).toEqual([800, 900]);
  });

  it('the line of a chart is highest at the peak of the data', async () => {
    const { rows, columns } = await pixels({
      panels: [panel(minutes((minute) => (minute === 90 ? 100 : 10)))],
    });
    const line = columns(BLUE).filter((x) => x > 130);
    const top = Math.min(...line.map((x) => rows(x, BLUE)[0] ?? Number.POSITIVE_INFINITY));
    const peak = line.filter((x) => rows(x, BLUE)[0] === top);
    const [left = 0, right = 0] = [line[0], line.at(-1)];
    expect((peak[0] ?? 0) - left).toBeCloseTo((right - left) * (90 / 120), -1);
  });

  it('the line of a chart is interrupted where no value was measured', async () => {
    const { columns } = await pixels({
      panels: [panel(minutes((minute) => (minute >= 40 && minute < 80 ? null : 10)))],
    });
    const line = columns(BLUE).filter((x) => x > 130);
    const [left = 0, right = 0] = [line[0], line.at(-1)];
    const third = (right - left) / 3;
    const gap = line.filter((x) => x > left + third + 8 && x < right - third - 8);
    expect(gap).toEqual([]);
    expect(line.length).toBeGreaterThan(third);
  });

  it('if a limit is higher than the data, the chart draws the limit above the line of the data', async () => {
    const { rows, columns } = await pixels({
      panels: [
        panel(
          minutes(() => 50),
          { limit: { label: 'limit 100', value: 100 } },
        ),
      ],
    });
    const dash = columns(RED)[0] ?? 0;
    expect(rows(dash, RED)[0]).toBeLessThan(rows(dash, BLUE)[0] ?? 0);
  });

  it('a chart leaves out a limit of more than four times the largest value, so that the data does not look flat', async () => {
    const { columns } = await pixels({
      panels: [
        panel(
          minutes(() => 50),
          { limit: { label: 'limit 4000', value: 4_000 } },
        ),
      ],
    });
    expect(columns(RED)).toEqual([]);
  });

  it('the chart of a time window without any value has no line', async () => {
    const { columns, height } = await pixels({ panels: [panel(minutes(() => null))] });
    expect(height).toBe(300);
    expect(columns(BLUE)).toEqual([]);
  });

  it('charts that are requested at the same time are all drawn', async () => {
    const spec = { from: FROM, to: TO, gaps: [], panels: [panel(minutes(() => 1))] };
    const pictures = await Promise.all([charts.draw(spec), charts.draw(spec), charts.draw(spec)]);
    expect(pictures.map((png) => Buffer.from(png).toString('latin1', 1, 4))).toEqual(['PNG', 'PNG', 'PNG']);
  });

  it('after the idle drawing thread has ended, the next chart is still drawn', async () => {
    const spec = { from: FROM, to: TO, gaps: [], panels: [panel(minutes(() => 1))] };
    await charts.draw(spec);
    await clock.advance(61_000);
    expect(await charts.draw(spec)).toBeInstanceOf(Uint8Array);
  });

  it('if the bot stops while a chart is being drawn, the drawing fails with chart-failed', async () => {
    const drawing = charts.draw({ from: FROM, to: TO, gaps: [], panels: [panel(minutes(() => 1))] });
    const failed = expect(drawing).rejects.toMatchObject({ code: 'chart-failed' });
    await charts.stop();
    await failed;
  });
});

describe('a measured value in words', () => {
  it.each([
    [0.4512, 'vCPU', '0.45 vCPU'],
    [0, 'bytes', '0 B'],
    [1_536, 'bytes/s', '1.54 kB/s'],
    [512, 'MB', '512 MB'],
    [2_048, 'MB', '2048 MB'],
    [20_480, 'MB', '20.5 GB'],
    [1_024, 'number', '1024'],
  ] as const)('the value %d with the unit "%s" is written as "%s"', (value, unit, text) => {
    expect(inUnit(value, unit)).toBe(text);
  });
});
