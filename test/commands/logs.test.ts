import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  deployElsewhere,
  deployReady,
  type Effect,
  effectOf,
  type Stage,
  stageOn,
} from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import { until } from '../support/test-clock.ts';

describe.each(['utf-8', 'base64'] as const)('logs that Edgegap sends as %s', (logEncoding) => {
  let stage: Stage;
  let id = '';

  beforeAll(async () => {
    stage = await stageOn('console', { simulator: { logEncoding } });
  });
  afterAll(() => stage?.close());
  const logs = (deployment: string, lines?: number): Promise<Effect> =>
    effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'logs', { deployment, ...(lines ? { lines } : {}) }),
    );

  test('the command "logs" shows the last lines of a log and says how many lines are shown', async () => {
    id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    stage.simulator.print(id, 'one');
    stage.simulator.print(id, 'two 🏁 größer');
    stage.simulator.print(id, 'three');
    const { publicly } = await logs(id, 2);
    expect(publicly[0]?.text).toContain(`Log of ${id}, last 2 of `);
    expect(publicly[0]?.text).toMatch(/two 🏁 größer\n.*three/);
    expect(publicly[0]?.text).not.toContain(' one');
    expect(publicly[0]?.files).toEqual([]);
    expect((await logs(id, 1)).publicly[0]?.text).toMatch(/last 1 of \d+ lines\n/);
  });

  test('a long log is cut at the end of a line, and the whole log is attached as a file', async () => {
    for (let n = 1; n <= 60; n++) stage.simulator.print(id, `line ${n} ${'🏎'.repeat(80)}`);
    const { publicly } = await logs(id, 60);
    const [card] = publicly;
    expect(card?.text).toContain('all lines are in the file');
    expect(card?.text).toContain('line 60');
    expect(card?.text).not.toContain('line 1 ');
    expect(card?.text.isWellFormed()).toBe(true);
    expect(card?.files).toHaveLength(1);
    expect(card?.files[0]?.name).toBe(`${id}.log`);
    expect(card?.files[0]?.content).toMatch(/line 1 /);
    expect(card?.files[0]?.content.trim().split('\n')).toHaveLength(60);
  });

  test('a log line that is longer than a message is cut at the start, and no character is split', async () => {
    stage.simulator.print(id, `start ${'🏎'.repeat(3000)} end`);
    const { publicly } = await logs(id, 1);
    expect(publicly[0]?.text).toContain('🏎 end');
    expect(publicly[0]?.text).not.toContain('start');
    expect(publicly[0]?.text.isWellFormed()).toBe(true);
    expect(publicly[0]?.files[0]?.content).toContain('start');
  });

  test('log lines that do not fit into the message are counted in the message and kept in the file', async () => {
    const wide = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    stage.simulator.print(wide, 'x'.repeat(900_000));
    stage.simulator.print(wide, 'a short one');
    const { publicly } = await logs(wide, 2);
    const [card] = publicly;
    expect(card?.text).toMatch(/last 2 of \d+ lines/);
    expect(card?.text).toMatch(/… 1 line cut short/);
    expect(card?.text).toContain('a short one');
    expect(card?.files[0]?.content).toMatch(/^\[… 900025 characters left out\] \n.* a short one\n$/);
  });

  test('the message of a long log says the number of lines and counts a progress bar as a single line', async () => {
    const long = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    for (let n = 0; n < 20_000; n++) stage.simulator.print(long, `tick ${n}`);
    stage.simulator.print(long, Array.from({ length: 60 }, (_, n) => `loaded ${n + 1}/60`).join('\r'));
    const { publicly } = await logs(long, 30);
    expect(publicly[0]?.text).toMatch(/last 30 of 20,\d{3} lines/);
    expect(publicly[0]?.text).toContain('loaded 60/60');
    expect(publicly[0]?.text).not.toContain('loaded 59/60');
  });

  test('colour codes are removed from a log and cannot hide a secret', async () => {
    stage.simulator.print(id, '\u001b[32mREADY\u001b[0m TO\u001b[1mKEN=abc-def-ghi');
    const { publicly } = await logs(id, 1);
    expect(publicly[0]?.text).toContain('READY TOKEN=[masked]');
  });

  test('secrets in a log are masked in the message and in the file, even at the place where the log is cut', async () => {
    const secret = 'zzz-secret-value-zzz';
    for (let n = 0; n < 120; n++)
      stage.simulator.print(id, `${'.'.repeat(n)} API_TOKEN=${secret} ${'y'.repeat(30)}`);
    stage.simulator.print(id, `our own: ${stage.simulator.token} and {"password":"${secret}"}`);
    const { publicly } = await logs(id, 5000);
    const all = `${publicly[0]?.text}${publicly[0]?.files.map(({ content }) => content).join('')}`;
    expect(all).toContain('[masked]');
    expect(all).toContain('ARBITRIUM_DELETE_TOKEN=[masked]');
    expect(all).not.toMatch(/secret-value|zzz-|value-zzz/);
    expect(all).not.toContain(stage.simulator.token);
  });

  test('after a crash, the command "logs" shows the exit code, the reason, the restarts and the crash log', async () => {
    const crashed = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    stage.simulator.crash(crashed, {
      exit_code: 139,
      message: 'segmentation fault, TOKEN=abcdefgh',
      restarts: true,
    });
    const { publicly } = await logs(crashed);
    expect(publicly[0]?.text).toMatch(/Exit code\s+139/);
    expect(publicly[0]?.text).toMatch(/Reason\s+segmentation fault, TOKEN=\[masked\]/);
    expect(publicly[0]?.text).toMatch(/Restarts\s+1/);
    expect(publicly[0]?.text).toContain('Crash log');
    expect(publicly[0]?.text).toContain('GameLoop.Step');
  });

  test('for a terminated deployment, the command "logs" says that the log no longer exists', async () => {
    const ended = await deployReady(stage);
    stage.simulator.terminate(ended);
    await until(
      async () => (await stage.driver.channel()).some(({ text }) => text.includes(`${ended} terminated`)),
      'the channel to be told',
    );
    const { publicly, privately } = await logs(ended);
    const text = [...publicly, ...privately].map((message) => message.text).join('\n');
    expect(text).toContain('The deployment has terminated, and its log is gone.');
  });

  test('the command "logs" shows the link to a stored log, unless everybody with the link could open the log', async () => {
    for (const [storage, shown] of [
      ['attic', true],
      ['attic.example.com/x.log?X-Amz-Signature=0123456789abcdef&x=', false],
    ] as const) {
      const kept = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
      stage.simulator.terminate(kept);
      const deployment = stage.simulator.deployments.get(kept);
      if (deployment) deployment.logStorage = storage;
      const { publicly } = await logs(kept);
      const text = publicly.map((message) => message.text).join('\n');
      expect(text.includes('https://attic')).toBe(shown);
      expect(text.includes('the link to it is in the Edgegap dashboard')).toBe(!shown);
      expect(text).toContain('attic');
      expect(text).not.toMatch(/0123456789abcdef|log is empty/);
    }
  });
});

test.each(driverNames)(
  'after a crash, the log and the crash log are shown on %s, and both are complete as files',
  async (name) => {
    const stage = await stageOn(name);
    try {
      const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
      stage.simulator.print(id, 'the last word');
      stage.simulator.crash(id, { exit_code: 139, message: 'segmentation fault' });
      const ask = () => stage.driver.command('operator', 'logs', { deployment: id });
      const text = (await effectOf(stage, 'operator', ask)).publicly.map((one) => one.text).join('\n');
      expect(text).toMatch(/Exit code\W+139.*Reason\W+segmentation fault/s);
      expect(text).toMatch(/Crash log.*\[fatal\] segmentation fault.*GameLoop\.Step.*Log.*the last word/s);
      const crash = stage.simulator.deployments.get(id)?.crash;
      const long = (word: string) => Array.from({ length: 60 }, (_, n) => `${word} ${n}`);
      Object.assign(crash ?? {}, { logs: long('crash').join('\n') });
      for (const line of long('play')) stage.simulator.print(id, line);
      await effectOf(stage, 'operator', () =>
        stage.driver.command('operator', 'logs', { deployment: id, lines: 60 }),
      );
      const files = async () => (await stage.driver.channel()).flatMap((one) => one.files);
      await until(async () => (await files()).length === 2, 'both files in the channel');
      const [crashed, log] = (await files()).toSorted((a, b) => a.name.localeCompare(b.name));
      expect([crashed?.name, log?.name]).toEqual([`${id}-crash.log`, `${id}.log`]);
      expect(crashed?.content).toMatch(/^crash 0\n.*crash 59\n$/s);
      expect(log?.content).toMatch(/play 0\n.*play 59\n$/s);
    } finally {
      await stage.close();
    }
  },
);

test.each(['discord', 'slack-http'] as const)(
  'a long log is attached on %s as a complete file with secrets masked',
  async (name) => {
    const stage = await stageOn(name);
    try {
      const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
      for (let n = 1; n <= 200; n++) stage.simulator.print(id, `line ${n} ${'größer '.repeat(10)}`);
      stage.simulator.print(id, 'API_TOKEN=zzz-secret-value-zzz');
      const ask = () => stage.driver.command('operator', 'logs', { deployment: id, lines: 201 });
      const { publicly } = await effectOf(stage, 'operator', ask);
      await until(
        async () => (await stage.driver.channel()).some(({ files }) => files.length > 0),
        'the file in the channel',
      );
      const [file, ...rest] = (await stage.driver.channel()).flatMap(({ files }) => files);
      expect(publicly.map(({ text }) => text).join()).toContain('line 200');
      expect(rest).toEqual([]);
      expect(file?.name).toBe(`${id}.log`);
      expect(file?.content.trim().split('\n')).toHaveLength(201);
      expect(file?.content).toContain('line 1 größer');
      expect(file?.content).toContain('API_TOKEN=[masked]');
    } finally {
      await stage.close();
    }
  },
);
