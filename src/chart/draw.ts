import { fileURLToPath } from 'node:url';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import {
  Chart,
  type ChartConfiguration,
  type ChartItem,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  Title,
} from 'chart.js';
import { axisTime, inUnit } from './format.ts';
import { type ChartSpec, type Gap, type Panel, type Point, topOf } from './spec.ts';

/**
 * The width of the picture in pixels. A phone shows the picture with half this width, so text of `TEXT_PX` has the same
 * size as the chat's own text.
 */
const WIDTH = 800;
const PANEL_HEIGHT = 300;
const TEXT_PX = 22;
const AXIS_WIDTH = 112;
const FONT = 'Inter';

/** The background is opaque, so that the picture looks the same on Discord's dark and Slack's light background. */
const BACKGROUND = '#16181d';
const TEXT = '#e6e8eb';
const MUTED = '#a3a9b3';
const GRID = '#2b2f37';
const LIMIT = '#ff7a70';
/** Colours that people with red-green colour blindness can also distinguish (Okabe and Ito, 2008). */
const COLORS = ['#56b4e9', '#e69f00', '#cc79a7'] as const;

Chart.register(Filler, Legend, LinearScale, LineController, LineElement, PointElement, Title);
for (const file of [
  import.meta.resolve('@fontsource/inter/files/inter-latin-400-normal.woff2'),
  import.meta.resolve('@fontsource/inter/files/inter-latin-600-normal.woff2'),
])
  GlobalFonts.registerFromPath(fileURLToPath(file), FONT);

/** Draws a PNG of `WIDTH` pixels. The charts of the panels are arranged below each other. */
export async function draw(spec: ChartSpec): Promise<Uint8Array> {
  const picture = createCanvas(WIDTH, PANEL_HEIGHT * spec.panels.length);
  const context = picture.getContext('2d');
  context.fillStyle = BACKGROUND;
  context.fillRect(0, 0, picture.width, picture.height);
  for (const [index, panel] of spec.panels.entries()) {
    const canvas = createCanvas(WIDTH, PANEL_HEIGHT);
    // The types of Chart.js allow only a browser's canvas, but this canvas has everything that Chart.js uses.
    const chart = new Chart(canvas as unknown as ChartItem, configuration(panel, spec));
    context.drawImage(canvas, 0, index * PANEL_HEIGHT);
    chart.destroy();
  }
  return await picture.encode('png');
}

function configuration(panel: Panel, { from, to, gaps }: ChartSpec): ChartConfiguration<'line'> {
  const { series, unit, title } = panel;
  const top = topOf(panel);
  return {
    type: 'line',
    data: {
      datasets: series.map(({ label, points }, index) => ({
        label: series.length > 1 ? `${title} ${label}` : label,
        data: points.map(([x, y]) => ({ x, y: y as number })),
        borderColor: COLORS[index],
        backgroundColor: `${COLORS[index]}${series.length === 1 ? '40' : '00'}`,
        fill: series.length === 1,
        borderWidth: 3,
        // A measurement without neighbours is drawn as a point, because a line needs two measurements.
        pointRadius: ({ dataIndex }: { dataIndex: number }) => (isAlone(points, dataIndex) ? 4 : 0),
        pointBackgroundColor: COLORS[index],
        spanGaps: false,
      })),
    },
    options: {
      animation: false,
      responsive: false,
      devicePixelRatio: 1,
      color: TEXT,
      font: { family: FONT, size: TEXT_PX },
      layout: { padding: { left: 12, right: 24, top: 4, bottom: 4 } },
      plugins: {
        title: {
          display: series.length === 1,
          align: 'start',
          text: title,
          color: TEXT,
          font: { family: FONT, size: TEXT_PX + 2, weight: 600 },
          padding: { top: 6, bottom: 20 },
        },
        legend: {
          display: series.length > 1,
          align: 'start',
          labels: {
            color: TEXT,
            font: { family: FONT, size: TEXT_PX, weight: 600 },
            boxWidth: 26,
            boxHeight: 3,
            padding: 14,
          },
        },
      },
      scales: {
        x: {
          type: 'linear',
          min: from,
          max: to,
          afterBuildTicks: (axis) => {
            axis.ticks = timeTicks(from, to).map((value) => ({ value }));
          },
          ticks: {
            color: MUTED,
            font: { family: FONT, size: TEXT_PX },
            maxRotation: 0,
            autoSkip: false,
            callback: (value, index) => `${axisTime(Number(value), to - from)}${index === 0 ? ' UTC' : ''}`,
          },
          grid: { color: GRID },
        },
        y: {
          min: 0,
          // Leaves space at the top for the label of the limit.
          suggestedMax: top * 1.12 || 1,
          ticks: {
            color: MUTED,
            font: { family: FONT, size: TEXT_PX },
            maxTicksLimit: 4,
            callback: (value) => inUnit(Number(value), unit),
          },
          grid: { color: GRID },
          // All panels have the same width, so that each time has the same horizontal position in every panel.
          afterFit: (axis) => {
            axis.width = AXIS_WIDTH;
          },
        },
      },
    },
    plugins: [legendGap, shadedGaps(gaps), limitLine(panel)],
  };
}

/**
 * Leaves space below the legend. Otherwise the topmost label of the axis would touch the legend. Chart.js has no option
 * for this space.
 */
const legendGap: Plugin<'line'> = {
  id: 'legendGap',
  beforeInit({ legend }) {
    const fit = legend?.fit;
    if (!legend || !fit) return;
    legend.fit = () => {
      fit.call(legend);
      legend.height += 14;
    };
  },
};

function isAlone(points: readonly Point[], index: number): boolean {
  const at = (offset: number) => points[index + offset]?.[1] ?? null;
  return at(0) !== null && at(-1) === null && at(1) === null;
}

/** Shades the periods without measurements, and labels the periods that are wide enough for the text. */
function shadedGaps(gaps: readonly Gap[]): Plugin<'line'> {
  return {
    id: 'gaps',
    beforeDatasetsDraw({ ctx, scales: { x }, chartArea: { top, bottom } }) {
      for (const [from, to] of gaps) {
        const left = x?.getPixelForValue(from) ?? 0;
        const right = x?.getPixelForValue(to) ?? 0;
        ctx.fillStyle = '#ffffff12';
        ctx.fillRect(left, top, right - left, bottom - top);
        if (right - left < TEXT_PX * 4) continue;
        ctx.fillStyle = MUTED;
        ctx.font = `${TEXT_PX - 2}px ${FONT}`;
        ctx.textAlign = 'center';
        ctx.fillText('no data', (left + right) / 2, (top + bottom) / 2);
      }
    },
  };
}

function limitLine({ limit }: Panel): Plugin<'line'> {
  return {
    id: 'limit',
    afterDatasetsDraw({ ctx, scales: { y }, chartArea: { left, right, top } }) {
      if (!limit || !y || limit.value > y.max) return;
      const at = y.getPixelForValue(limit.value);
      ctx.strokeStyle = LIMIT;
      ctx.lineWidth = 2;
      ctx.setLineDash([10, 8]);
      ctx.beginPath();
      ctx.moveTo(left, at);
      ctx.lineTo(right, at);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = LIMIT;
      ctx.font = `${TEXT_PX - 2}px ${FONT}`;
      ctx.textAlign = 'right';
      ctx.fillText(limit.label, right - 6, at - top > TEXT_PX ? at - 8 : at + TEXT_PX);
    },
  };
}

const MINUTE = 60_000;
const TICK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080].map((n) => n * MINUTE);

/** Returns at most five round times in UTC. */
function timeTicks(from: number, to: number): number[] {
  const step = TICK_STEPS.find((each) => (to - from) / each <= 5) ?? to - from;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, index) => first + index * step);
}
