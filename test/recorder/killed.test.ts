import { describe, expect, test } from 'vitest';
import { openStage, type Stage } from '../answers/harness.ts';
import { until } from '../support/test-clock.ts';

const ORDER = { application: 'kart-racing', version: 'v1.2', near: 'Tokyo' };

const withText = async ({ driver }: Stage, text: string) =>
  (await driver.channel()).filter((message) => message.text.replaceAll('\\', '').includes(text));
const shown = (stage: Stage, text: string) =>
  until(async () => (await withText(stage, text)).length > 0, `a message with ${text}`);

describe.each(['discord', 'slack-http'] as const)('a process that is killed on %s', (name) => {
  test('the crash report and its file are posted once, even if the process is killed just after it posted them', async () => {
    const stage = await openStage(name);
    const process = await stage.start();
    await stage.driver.command('operator', 'deploy', ORDER);
    await shown(stage, 'is ready');
    const [id = ''] = stage.simulator.deployments.keys();
    stage.simulator.faults.next({ endpoint: 'logs' }, { kind: 'slow', when: 'after', ms: 10_000 });
    stage.simulator.crash(id, { exit_code: 139, message: 'segmentation fault' });
    await shown(stage, ' failed');
    process.stopAfter('post');
    const posted = async () => {
      const isPosted = (await withText(stage, 'Crash report')).length === 1;
      // The process may be paused after the line about the failure. It then has to continue until it has posted the
      // report.
      if (process.standing() > 0 && !isPosted) process.goOn();
      return isPosted && process.standing() > 0;
    };
    await until(posted, 'the crash report to be posted');
    await process.kill();
    const next = await stage.start();
    // The bot stores the line about the end after the report, so it also sends the line after the report.
    stage.simulator.terminate(id);
    await shown(stage, ' stopped');
    await next.app.settled();
    expect(await withText(stage, 'Crash report')).toHaveLength(1);
    expect(await withText(stage, 'Last log')).toEqual([]);
    const files = (await stage.driver.channel()).flatMap((message) => message.files);
    expect(files.map((file) => file.name)).toEqual([`${id}.log`, `${id}-crash.log`]);
  });
});
