import { expect, test, vi } from 'vitest';
import { deployElsewhere } from '../command/harness.ts';
import { until } from '../support/test-clock.ts';
import { LONG_MS, openProcesses } from './processes.ts';

/** On a busy machine, each start of a process takes long. */
vi.setConfig({ testTimeout: 5 * 60_000 });

test.each([
  { database: 'sqlite', replicas: 1 },
  { database: 'postgres', replicas: 2 },
] as const)(
  'each line of a followed log is shown exactly once while processes are killed and Edgegap fails ($database)',
  async ({ database, replicas }) => {
    const { simulator, driver, fleet, strike } = await openProcesses(database, replicas);
    const id = await deployElsewhere(simulator, 'kart-racing', 'v1.2');
    await driver.command('operator', 'logs', { deployment: id, follow: true, grep: 'lap', for: '2h' });
    const text = async () => (await driver.channel()).map((message) => message.text).join('\n');
    const shown = (wanted: string) =>
      until(async () => (await text()).includes(wanted), `a message with ${wanted}`, LONG_MS);
    let laps = 0;
    const print = (count: number) => {
      for (let n = 0; n < count; n++) simulator.print(id, `lap <${++laps}>`);
    };
    // When a log is followed, the bot first shows only the last lines of the log.
    print(1);
    await shown('lap <1>');
    const { faults } = simulator;
    // The test does not know which process follows the log, so it kills each process once.
    for (let place = 0; place < 2; place++) {
      print(20);
      if (place === 1) await shown(`lap <${laps}>`);
      faults.next({ endpoint: 'logs' }, { kind: 'slow', when: 'after', ms: 6_000 });
      faults.next({ endpoint: 'logs' }, { kind: 'server-error', when: 'after' }, 4);
      print(20);
      await strike([place % replicas]);
      print(20);
    }
    await shown(`lap <${laps}>`);
    await driver.press('operator', 'Stop following');
    const files = async () => (await driver.channel()).flatMap((message) => message.files);
    const all = await until(async () => (await files())[0]?.content, 'the file with the lines', LONG_MS);
    const seen = [...all.matchAll(/lap <(\d+)>/g)].map(([, lap]) => Number(lap));
    expect(seen).toEqual(Array.from({ length: laps }, (_, n) => n + 1));
    expect(all).not.toContain('Some lines may be missing here');
    expect(await files()).toHaveLength(1);
    expect(fleet.faults).toEqual([]);
  },
);
