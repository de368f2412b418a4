import { blocks, NARROW, WIDE } from '../src/chart/blocks.ts';
import type { ChartSpec } from '../src/chart/spec.ts';
import { type Button, type CardFile, type Node, textFile } from '../src/chat/card.ts';
import { type Context, type DeploymentActionContext, defineCommand } from '../src/command/define.ts';
import { instantOf, type Moment } from '../src/command/kinds/moment.ts';
import { theDeployment } from '../src/command/options.ts';
import { currentView } from '../src/command/status-view.ts';
import { type DeploymentView, roughly } from '../src/deployments/card.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';
import { METRICS_STEPS } from '../src/edgegap/metrics.ts';
import { AppError, InputError } from '../src/errors.ts';
import { csv } from '../src/metrics/csv.ts';
import {
  type Allowance,
  gapsOf,
  inReadUnits,
  throttleChart,
  UNITS,
  usageChart,
} from '../src/metrics/series.ts';
import {
  decodeWindow,
  encodeWindow,
  LONGEST_DAYS,
  resized,
  stepMs,
  type Window,
  type WindowRequest,
  windowOf,
} from '../src/metrics/window.ts';
import { lengthOf, summaryOf, verdictOf, windowWords } from '../src/metrics/words.ts';

export default defineCommand({
  description: 'Show CPU, memory and network of a server as a chart',
  topic: 'look',
  example: '93924761ccde --last 2h',
  permission: 'deployments.read',
  ack: 'public',
  options: {
    deployment: theDeployment,
    last: {
      kind: 'duration',
      mostDays: LONGEST_DAYS,
      label: 'How far back',
      placeholder: '1h',
      description: 'Length of the period, for example 2h (1h if not given)',
    },
    from: { kind: 'moment', description: 'Start of the period, UTC: 16:00 or 2026-03-03T16:00' },
    to: { kind: 'moment', description: 'End of the period, UTC (now if not given)' },
    step: {
      kind: 'choice',
      choices: METRICS_STEPS,
      placeholder: 'Fits the window',
      description: 'Time between two measurements',
    },
    csv: {
      kind: 'boolean',
      label: 'With a CSV file',
      description: 'Add the numbers as they were measured, as a CSV file',
    },
  },
  layout: {
    title: 'Show metrics',
    submit: 'Show',
    first: ['deployment', 'last', 'step', 'csv'],
    more: { 'A certain time': ['from', 'to'] },
  },
  actions: {
    show: {
      permission: 'deployments.read',
      ack: 'public',
      on: 'deployment',
      onCard: 'Metrics',
      run: press,
    },
    window: { permission: 'deployments.read', ack: 'update', on: 'deployment', run: press },
  },
  check({ options, clock }) {
    windowOf(requestOf(options, clock.now()), clock.now());
  },
  run(context) {
    const { options, clock } = context;
    return show(context, options.deployment, requestOf(options, clock.now()), options.csv ?? false);
  },
});

function press(context: DeploymentActionContext): Promise<void> {
  const [, window = '', file] = context.action.arg.split('.');
  return show(context, context.target, decodeWindow(window), file === 'csv');
}

interface AskedWindow extends Pick<WindowRequest, 'last' | 'step'> {
  readonly from: Moment | undefined;
  readonly to: Moment | undefined;
}

function requestOf({ last, from, to, step }: AskedWindow, now: number): WindowRequest {
  const begin = from && instantOf(from, now);
  return { last, from: begin, to: to && instantOf(to, now, begin), step };
}

async function show(
  context: Context<unknown>,
  target: DeploymentTarget,
  request: WindowRequest,
  withCsv: boolean,
): Promise<void> {
  const { clock, edgegap, charts } = context;
  const { request_id } = target;
  const window = windowOf(request, clock.now());
  const { from, to, step } = window;
  const [view, metrics, raw] = await Promise.all([
    currentView(context, target),
    edgegap.metrics(request_id, { from, to, step }),
    withCsv ? edgegap.metrics(request_id, { from, to, step, raw: true }) : undefined,
  ]);
  if (Object.values(metrics).every((samples) => samples.length === 0)) throw nothingMeasured(view, window);
  const read = inReadUnits(metrics);
  const gaps = gapsOf(read, { from, to, step: stepMs(step) }, view);
  const allowance = await allowanceOf(context, view);
  const verdict = verdictOf(read, allowance);
  const fields = summaryOf(read).map(([label, words]) => ({ label, value: [words] }));
  const nodes: Node[] = [
    { kind: 'text', text: [{ bold: verdict.text }] },
    { kind: 'fields', fields, columns: true },
  ];
  const files: CardFile[] = [];
  const usage = usageChart(read, { from, to, gaps }, allowance);
  const throttled = throttleChart(read, { from, to, gaps });
  for (const [name, spec, alt] of [
    ['usage', usage, 'CPU, memory and network'],
    ['throttling', throttled, 'how often the CPU was held back'],
  ] as const) {
    if (!spec) continue;
    const { node, file } = await picture(charts, `${request_id}-${name}.png`, spec, alt);
    nodes.push(node);
    if (file) files.push(file);
  }
  const about = `${windowWords(window, gaps, clock.now())} request_id `;
  nodes.push({ kind: 'note', text: [about, { code: request_id }] });
  if (raw) files.push(textFile(`${request_id}-metrics.csv`, csv(raw)));
  nodes.push({ kind: 'buttons', buttons: buttons(request_id, window, request, withCsv) });
  await context.respond({
    kind: 'card',
    tone: verdict.isAlarming ? 'warning' : 'neutral',
    title: [`Metrics of ${view.application} ${view.version}`.trim()],
    nodes,
    files,
  });
}

/** Draws the chart as a picture. If drawing fails, returns the chart with block characters. */
async function picture(
  charts: Context<unknown>['charts'],
  name: string,
  spec: ChartSpec,
  alt: string,
): Promise<{ node: Node; file?: CardFile }> {
  try {
    const bytes = new Uint8Array(await charts.draw(spec));
    return {
      node: { kind: 'image', file: name, alt, drawn: [blocks(spec, WIDE), blocks(spec, NARROW)] },
      file: { name, type: 'image/png', bytes },
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { node: { kind: 'code', text: blocks(spec, NARROW), keep: 'start' } };
  }
}

function nothingMeasured(
  { readyAt, endedAt, status, createdAt }: DeploymentView,
  { from, to }: Window,
): InputError {
  if (endedAt !== undefined)
    return new InputError('metrics-gone', 'Edgegap has no measurements of this server in that window.', {
      hint:
        from > endedAt
          ? 'The server had ended before. Give a window in which it ran, with from and to.'
          : 'The server has ended, and Edgegap does not keep the measurements of ended servers for long.',
    });
  if (readyAt === undefined && status === 'ERROR')
    return new InputError(
      'metrics-never',
      'The server failed before it was ready, so nothing was measured.',
      {
        hint: 'The card of the server, and `logs`, say why it failed.',
      },
    );
  const began = createdAt ?? readyAt;
  if (began !== undefined && to < began)
    return new InputError('metrics-before', 'The window lies before the start of the server.', {
      hint: 'Give a later window, or leave the window out to see the last hour.',
    });
  if (readyAt === undefined || readyAt > to)
    return new InputError('metrics-early', 'Nothing was measured in that window: the server was not ready.', {
      hint: 'Ask again a minute or two after the server is ready.',
    });
  return new InputError('metrics-none', 'Edgegap has no measurements in that window.', {
    hint: 'The first measurements come a minute or two after a server is ready. Ask again, or give a longer window.',
  });
}

/** The CPU and memory that the version may use. Both values are undefined if Edgegap no longer has the version. */
async function allowanceOf({ catalog }: Context<unknown>, view: DeploymentView): Promise<Allowance> {
  const versions = await catalog.versions(view.application).catch(() => []);
  const found = versions.find(({ name }) => name === view.version);
  return { cpu: found?.req_cpu && found.req_cpu / UNITS, memory: found?.req_memory };
}

/**
 * The label of a button that shows a different period: `Show the last 2 h`, or `Show 2 h` if the end of the period is
 * fixed.
 */
function showLabel({ last, from = 0, to = 0 }: WindowRequest = {}): string {
  return last === undefined ? `Show ${roughly(to - from)}` : `Show the last ${lengthOf(last)}`;
}

function buttons(request_id: string, window: Window, request: WindowRequest, withCsv: boolean): Button[] {
  const file = withCsv ? '.csv' : '';
  const button = (label: string, to: WindowRequest | undefined): Button[] =>
    to
      ? [
          {
            label,
            style: 'secondary',
            action: { command: 'metrics', action: 'window', arg: `${request_id}.${encodeWindow(to)}${file}` },
          },
        ]
      : [];
  const again = window.moves
    ? { last: request.last ?? window.to - window.from }
    : { from: window.from, to: window.to };
  return [
    ...button('Refresh', again),
    ...[resized(window, 2), resized(window, 0.5)].flatMap((to) => button(showLabel(to), to)),
  ];
}
