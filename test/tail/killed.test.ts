import { expect, test } from 'vitest';
import { openStage, type Process, type Stage } from '../answers/harness.ts';
import { deployElsewhere } from '../command/harness.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const KILLS = 4;

async function text({ driver }: Stage): Promise<string> {
  return (await driver.channel()).map((message) => message.text).join('\n');
}

function shown(stage: Stage, wanted: string): Promise<unknown> {
  return until(async () => (await text(stage)).includes(wanted), `a message with ${wanted}`);
}

async function follow(stage: Stage): Promise<{ id: string; process: Process }> {
  const process = await stage.start();
  const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
  await stage.driver.command('operator', 'logs', { deployment: id, follow: true, grep: 'lap', for: '2h' });
  await shown(stage, 'Following the log');
  return { id, process };
}

async function fileAtTheEnd(stage: Stage): Promise<string> {
  await stage.driver.press('operator', 'Stop following');
  const files = async () => (await stage.driver.channel()).flatMap((message) => message.files);
  return await until(async () => (await files())[0]?.content, 'the file with the lines');
}

test.each(['discord', 'slack-http'] as const)(
  'each new line of a followed log is shown exactly once, even if processes are killed at any moment (%s)',
  async (name) => {
    const stage = await openStage(name);
    let { id, process } = await follow(stage);
    let laps = 0;
    const print = () => stage.simulator.print(id, `lap <${++laps}>`);
    for (let kill = 0; kill < KILLS; kill++) {
      for (let n = 0; n < 5; n++) print();
      // Some processes are killed after the edit. Others are killed while they read the log.
      if (kill % 2 === 0) await shown(stage, `lap <${laps}>`);
      await process.kill();
      print();
      process = await stage.start();
    }
    await shown(stage, `lap <${laps}>`);
    const all = await fileAtTheEnd(stage);
    const seen = [...all.matchAll(/lap <(\d+)>/g)].map(([, lap]) => Number(lap));
    expect(seen).toEqual(Array.from({ length: laps }, (_, n) => n + 1));
    expect(all).not.toContain('Some lines may be missing here');
  },
);

test('if lines of a followed log are lost while no process of the bot runs, one gap is marked', async () => {
  const stage = await openStage('slack-http');
  const { id, process } = await follow(stage);
  stage.simulator.print(id, 'lap <1>');
  await shown(stage, 'lap <1>');
  await process.kill();
  stage.simulator.print(id, 'lap <2>');
  stage.simulator.deployments.get(id)?.log.lines.splice(0);
  stage.simulator.print(id, 'lap <3>');
  await stage.start();
  await shown(stage, 'lap <3>');
  const lines = (await fileAtTheEnd(stage)).split('\n').map((line) => line.replace(/^\S+Z /, ''));
  expect(lines).toEqual(['lap <1>', '… The log began anew. Some lines may be missing here.', 'lap <3>', '']);
});

test('each line of a followed log is sent to Slack at most once, and each kill causes at most one marked gap', async () => {
  const stage = await openStage('slack-http');
  (stage.driver as SlackDriver).server.web.streams.available = true;
  let { id, process } = await follow(stage);
  let laps = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    for (let n = 0; n < 5; n++) stage.simulator.print(id, `lap <${++laps}>`);
    if (kill % 2 === 0) await shown(stage, `lap <${laps}>`);
    await process.kill();
    stage.simulator.print(id, `lap <${++laps}>`);
    process = await stage.start();
    // Lines before the kill may be replaced by a gap, but lines after the kill are shown.
    stage.simulator.print(id, `lap <${++laps}>`);
    await shown(stage, `lap <${laps}>`);
  }
  const texts = (await stage.driver.channel()).map((message) => message.text).join('\n');
  const seen = [...texts.matchAll(/lap <(\d+)>/g)].map(([, lap]) => Number(lap));
  expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
  const gaps = texts.split('Some lines may be missing here').length - 1;
  expect(gaps).toBeLessThanOrEqual(KILLS);
  if (gaps === 0) expect(seen).toHaveLength(laps);
  const all = await fileAtTheEnd(stage);
  expect(all.match(/lap <\d+>/g)).toHaveLength(laps);
});
