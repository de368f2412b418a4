import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { deployElsewhere, effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import { until } from '../support/test-clock.ts';

const MINUTE = 60_000;

/** Makes a server that became ready this many milliseconds ago, according to Edgegap. */
async function readySince(simulator: Simulator, ms: number, version = 'v1.2'): Promise<string> {
  const id = await deployElsewhere(simulator, 'kart-racing', version);
  const { history = [] } = simulator.deployments.get(id) ?? {};
  history.splice(0, history.length, ...history.map(({ phase, at }) => ({ phase, at: at - ms })));
  return id;
}

describe.each(driverNames)('metrics on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name);
  });
  afterAll(() => stage?.close());

  test('the chart of a server shows CPU, memory and network, and the text gives a verdict, peak and average', async () => {
    const id = await readySince(stage.simulator, 120 * MINUTE);
    const { publicly, privately } = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'metrics', { deployment: id, last: '1h' }),
    );
    expect(privately).toEqual([]);
    const card = publicly.find(({ text }) => text.includes('Metrics of'));
    expect(card?.text).toContain('kart-racing v1.2');
    expect(card?.text).toMatch(
      /CPU and memory stay within their limits: at most \d+ % of 0\.5 vCPU and \d+ % of [\d.]+ MB\.|The CPU was held back/,
    );
    expect(card?.text).toMatch(/CPU\W+peak 0\.\d+ vCPU, average 0\.\d+ vCPU/);
    expect(card?.text).toMatch(/Memory\W+peak \d+ MB, average \d+ MB/);
    expect(card?.text).toMatch(/Network in\W+peak [\d.]+ kB\/s, [\d.]+ MB in all/);
    expect(card?.buttons).toEqual(['Refresh', 'Show the last 2 h', 'Show the last 30 min']);
    // On Slack, the picture is posted after the card.
    const chart = await until(async () => {
      const files = (await stage.driver.channel()).flatMap((message) => message.files);
      return files.find((file) => file.name === `${id}-usage.png` && file.content !== '');
    }, 'the picture');
    const image = await loadImage(Buffer.from(chart.content, 'base64'));
    expect([image.width, image.height]).toEqual([800, 900]);
    const context = createCanvas(800, 900).getContext('2d');
    context.drawImage(image, 0, 0);
    const colours = new Set<string>();
    const { data } = context.getImageData(0, 0, 800, 900);
    for (let at = 0; at < data.length; at += 4) colours.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
    // The colours of three lines: CPU and memory, the second line of the network, and the limit.
    expect([...colours]).toEqual(expect.arrayContaining(['86,180,233', '230,159,0', '255,122,112']));
  });

  test('the button "Show the last 2 h" shows that time window in the same message', async () => {
    const press = () => stage.driver.press('operator', 'Show the last 2 h');
    const { publicly } = await effectOf(stage, 'operator', press);
    expect(publicly.map(({ text }) => text).join('\n')).toContain('The last 2 h, measured every');
  });
});

describe.each(driverNames)('the button Metrics on %s', (name) => {
  test('the button "Metrics" on the card of a ready server draws the chart of that server', async () => {
    const stage = await stageOn(name);
    try {
      const id = await readySince(stage.simulator, 120 * MINUTE);
      const { driver } = stage;
      await effectOf(stage, 'operator', () => driver.command('operator', 'status', { deployment: id }));
      const { publicly } = await effectOf(stage, 'operator', () => driver.press('operator', 'Metrics'));
      const text = publicly.map((message) => message.text).join('\n');
      expect(text).toContain('Metrics of');
      expect(text).toContain(id);
    } finally {
      await stage.close();
    }
  });
});

describe('metrics in words', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn('console');
  });
  afterAll(() => stage?.close());

  const run = async (line: string) => {
    const { publicly, privately, asked } = await effectOf(stage, 'operator', () =>
      typeLine(stage, 'operator', line),
    );
    const text = [...publicly, ...privately].map((message) => message.text).join('\n');
    return { text, publicly, privately, asked };
  };

  test('the terminal draws a chart in block characters, and the text mentions the period without measurements', async () => {
    const id = await readySince(stage.simulator, 120 * MINUTE);
    const now = Date.now();
    stage.simulator.deployments.get(id)?.unmeasured.push({ from: now - 40 * MINUTE, to: now - 20 * MINUTE });
    const { text } = await run(`metrics ${id}`);
    expect(text).toMatch(/Nothing was measured from .*\d\d:\d\d to .*\d\d:\d\d UTC\./);
    expect(text).toMatch(/The last hour, measured every 30 s\. The times of the chart are UTC\./);
    expect(text).toMatch(/[▁▂▃▄▅▆▇█]{10}/);
    expect(text).toMatch(/·{10}/);
  });

  test('the option --csv of metrics adds the numbers as a file', async () => {
    const id = await readySince(stage.simulator, 30 * MINUTE);
    const { publicly } = await run(`metrics ${id} --last 30m --csv`);
    const file = publicly.flatMap(({ files }) => files).find(({ name }) => name === `${id}-metrics.csv`);
    const lines = file?.content.trim().split('\n') ?? [];
    expect(lines[0]).toMatch(/^time,cpu_units,.*,disk_write_total$/);
    expect(lines.length).toBeGreaterThan(30);
    expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,\d+/);
    for (const button of ['Show the last hour', 'Show the last 30 min', 'Refresh']) {
      const pressed = await effectOf(stage, 'operator', () => stage.driver.press('operator', button));
      const names = pressed.publicly.flatMap(({ files }) => files).map((one) => one.name);
      expect(names, button).toContain(`${id}-metrics.csv`);
    }
  });

  test('if the CPU of a server is throttled, the command "metrics" shows a second chart', async () => {
    const id = await readySince(stage.simulator, 300 * MINUTE);
    const { text, publicly } = await run(`metrics ${id} --last 5h`);
    expect(text).toContain('CPU throttling');
    expect(publicly.flatMap(({ files }) => files).map(({ name }) => name)).toContain(`${id}-throttling.png`);
  });

  test('for an ended deployment, the command "metrics" shows the time in which the deployment ran', async () => {
    const id = await readySince(stage.simulator, 30 * MINUTE);
    stage.simulator.terminate(id);
    const { text } = await run(`metrics ${id}`);
    expect(text).toMatch(/peak .*, average/);
  });

  test.each([
    ['--from 2099-01-01', 'begins in the future'],
    ['--from 2026-03-03T16:00 --to 2099-01-01', 'ends in the future'],
    ['--from 2026-03-03T17:00 --to 2026-03-03T16:00', 'ends before it begins'],
    ['--last 40d', 'last may be at most 31 days'],
    ['--last 0', 'from one minute to 31 days'],
    ['--from 2026-01-01', 'is too long: the most is 31 d'],
    ['--last 48h --step 30s', 'too fine for a window of 2 d'],
    ['--last soon', 'must be a length of time'],
    ['--from yesterday', 'must be a time'],
    ['--last 10m --step 1h', 'too coarse for a window of 10 min'],
    ['--from 2026-02-30', 'There is no 2026-02-30.'],
    ['--from 2026-03-03T16:00 --to 2026-03-03T16:00', 'The window is empty'],
    ['--last 10s', 'last must be at least one minute'],
    ['--step 2m', 'step must be one of 30s, 1m, 5m, 10m, 1h'],
  ])(
    'the command "metrics" privately refuses the time window %s before the bot asks Edgegap',
    async (window, reason) => {
      const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
      const { privately, publicly, asked } = await run(`metrics ${id} ${window}`);
      expect(publicly).toEqual([]);
      expect(privately[0]?.text).toContain(reason);
      expect(asked.filter((request) => request.includes('metrics'))).toEqual([]);
    },
  );

  test('in the option --to of "metrics", a time of day means its first occurrence after the start of the time window', async () => {
    const id = await readySince(stage.simulator, 120 * MINUTE);
    const at = (ms: number) => new Date(ms).toISOString().slice(0, 16);
    const begin = Date.now() - 60 * MINUTE;
    const window = (end: number) => run(`metrics ${id} --from ${at(begin)} --to ${at(end).slice(11)}`);
    const { text } = await window(Date.now() - 30 * MINUTE);
    expect(text).toContain('average');
    expect(text).toMatch(/\d\d:\d\d to .*\d\d:\d\d UTC, measured every/);
    // The time of day is half an hour before the beginning of the window, so it can only mean the next day.
    expect((await window(begin - 30 * MINUTE)).text).toContain('The window ends in the future');
  });

  test('for a deployment that failed before its server was ready, the command "metrics" says that there are no measurements', async () => {
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const { history = [] } = stage.simulator.deployments.get(id) ?? {};
    history.splice(0, history.length, ...history.filter(({ phase }) => phase !== 'READY'));
    stage.simulator.fail(id, 'The image could not be pulled.');
    const { text } = await run(`metrics ${id}`);
    expect(text).toContain('failed before it was ready');
  });

  test('if the time window lies before the deployment, the command "metrics" says so', async () => {
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const { text } = await run(`metrics ${id} --from 2020-01-01T00:00 --to 2020-01-01T01:00`);
    expect(text).toContain('The window lies before the start of the server');
  });

  test('if a deployment has just become ready, the command "metrics" says when measurements will be available', async () => {
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const { text } = await run(`metrics ${id}`);
    expect(text).toContain('Ask again');
  });
});
