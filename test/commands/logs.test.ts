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

describe.each(['utf-8', 'base64'] as const)('logs that Edgegap sends in the form "%s"', (logEncoding) => {
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
    const { privately } = await logs(id, 2);
    expect(privately[0]?.text).toContain(`Log of ${id}, last 2 of `);
    expect(privately[0]?.text).toMatch(/two 🏁 größer\n.*three/);
    expect(privately[0]?.text).not.toContain(' one');
    expect(privately[0]?.files).toEqual([]);
    expect((await logs(id, 1)).privately[0]?.text).toMatch(/last 1 of \d+ lines\n/);
  });

  test('a long log is cut between two lines, and the whole log is attached as a file', async () => {
    for (let n = 1; n <= 60; n++) stage.simulator.print(id, `line ${n} ${'🏎'.repeat(80)}`);
    const { privately } = await logs(id, 60);
    const [card] = privately;
    expect(card?.text).toContain('all lines are in the file');
    expect(card?.text).toContain('line 60');
    expect(card?.text).not.toContain('line 1 ');
    expect(card?.text.isWellFormed()).toBe(true);
    expect(card?.files).toHaveLength(1);
    expect(card?.files[0]?.name).toBe(`${id}.log`);
    expect(card?.files[0]?.content).toMatch(/line 1 /);
    expect(card?.files[0]?.content.trim().split('\n')).toHaveLength(60);
  });

  test('a log line that is longer than a message is cut at the start, but never inside a character', async () => {
    stage.simulator.print(id, `start ${'🏎'.repeat(3000)} end`);
    const { privately } = await logs(id, 1);
    expect(privately[0]?.text).toContain('🏎 end');
    expect(privately[0]?.text).not.toContain('start');
    expect(privately[0]?.text.isWellFormed()).toBe(true);
    expect(privately[0]?.files[0]?.content).toContain('start');
  });

  test('if a log does not fit into the message, the message gives the number of missing lines, and a file contains all lines', async () => {
    const wide = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    stage.simulator.print(wide, 'x'.repeat(900_000));
    stage.simulator.print(wide, 'a short one');
    const { privately } = await logs(wide, 2);
    const [card] = privately;
    expect(card?.text).toMatch(/last 2 of \d+ lines/);
    expect(card?.text).toMatch(/… 1 line cut short/);
    expect(card?.text).toContain('a short one');
    expect(card?.files[0]?.content).toMatch(/^\[… 900025 characters left out\] \n.* a short one\n$/);
  });

  test('the message of a long log gives the number of lines, and counts a progress bar as a single line', async () => {
    const long = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    for (let n = 0; n < 20_000; n++) stage.simulator.print(long, `tick ${n}`);
    stage.simulator.print(long, Array.from({ length: 60 }, (_, n) => `loaded ${n + 1}/60`).join('\r'));
    const { privately } = await logs(long, 30);
    expect(privately[0]?.text).toMatch(/last 30 of 20,\d{3} lines/);
    expect(privately[0]?.text).toContain('loaded 60/60');
    expect(privately[0]?.text).not.toContain('loaded 59/60');
  });

  test('colour codes are removed from a log and cannot hide a secret', async () => {
    stage.simulator.print(id, '\u001b[32mREADY\u001b[0m TO\u001b[1mKEN=abc-def-ghi');
    const { privately } = await logs(id, 1);
    expect(privately[0]?.text).toContain('READY TOKEN=[masked]');
  });

  test('secrets in a log are masked in the message and in the file, even at the position where the log is cut', async () => {
    const secret = 'zzz-secret-value-zzz';
    for (let n = 0; n < 120; n++)
      stage.simulator.print(id, `${'.'.repeat(n)} API_TOKEN=${secret} ${'y'.repeat(30)}`);
    stage.simulator.print(id, `our own: ${stage.simulator.token} and {"password":"${secret}"}`);
    const { privately } = await logs(id, 5000);
    const all = `${privately[0]?.text}${privately[0]?.files.map(({ content }) => content).join('')}`;
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
    const { privately } = await logs(crashed);
    expect(privately[0]?.text).toMatch(/Exit code\s+139/);
    expect(privately[0]?.text).toMatch(/Reason\s+segmentation fault, TOKEN=\[masked\]/);
    expect(privately[0]?.text).toMatch(/Restarts\s+1/);
    expect(privately[0]?.text).toContain('Crash log');
    expect(privately[0]?.text).toContain('GameLoop.Step');
  });

  test('for a terminated deployment, the command "logs" says that the log no longer exists', async () => {
    const ended = await deployReady(stage);
    stage.simulator.terminate(ended);
    await until(
      async () => (await stage.driver.channel()).some(({ text }) => text.includes(`${ended} stopped`)),
      'the channel to be told',
    );
    const { publicly, privately } = await logs(ended);
    const text = [...publicly, ...privately].map((message) => message.text).join('\n');
    expect(text).toContain('The server has stopped, and its log is gone: I could not save the log.');
  });

  test('the command "logs" shows the link to a stored log, unless the link works without a sign-in', async () => {
    for (const [storage, shown] of [
      ['attic', true],
      ['attic.example.com/x.log?X-Amz-Signature=0123456789abcdef&x=', false],
    ] as const) {
      const kept = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
      stage.simulator.terminate(kept);
      const deployment = stage.simulator.deployments.get(kept);
      if (deployment) deployment.logStorage = storage;
      const { privately } = await logs(kept);
      const text = privately.map((message) => message.text).join('\n');
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
      const ask = () => stage.driver.command('operator', 'logs', { deployment: id, share: true });
      const text = (await effectOf(stage, 'operator', ask)).publicly.map((one) => one.text).join('\n');
      expect(text).toMatch(/Exit code\W+139.*Reason\W+segmentation fault/s);
      expect(text).toMatch(/Crash log.*\[fatal\] segmentation fault.*GameLoop\.Step.*Log.*the last word/s);
      const crash = stage.simulator.deployments.get(id)?.crash;
      const long = (word: string) => Array.from({ length: 60 }, (_, n) => `${word} ${n}`);
      Object.assign(crash ?? {}, { logs: long('crash').join('\n') });
      for (const line of long('play')) stage.simulator.print(id, line);
      await effectOf(stage, 'operator', () =>
        stage.driver.command('operator', 'logs', { deployment: id, lines: 60, share: true }),
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
      const ask = () => stage.driver.command('operator', 'logs', { deployment: id, lines: 201, share: true });
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

describe('logs for the person who asks', () => {
  test.each(driverNames)(
    'on %s, only the person who asks sees a log, until that person shares the log',
    async (name) => {
      const stage = await stageOn(name);
      try {
        const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
        for (const line of ['ada joined', 'ERROR lap 3', 'bob joined']) stage.simulator.print(id, line);
        const ask = () => stage.driver.command('operator', 'logs', { deployment: id, grep: 'error' });
        const { privately, publicly } = await effectOf(stage, 'operator', ask);
        expect(publicly).toEqual([]);
        expect(privately.at(-1)?.text).toMatch(/Log of .*1 line with “error”/);
        expect(privately.at(-1)?.buttons).toEqual(['Refresh', 'Follow', 'Share']);
        const shared = await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Share'));
        const [card] = shared.publicly;
        expect(card?.text).toContain('ERROR lap 3');
        expect(card?.text).not.toContain('joined');
        expect(card?.buttons).toEqual([]);
      } finally {
        await stage.close();
      }
    },
  );

  test.each(driverNames)(
    'on %s, the button Refresh shows the newest lines for the same options, and the button Follow posts new lines in the channel',
    async (name) => {
      const stage = await stageOn(name);
      try {
        const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
        stage.simulator.print(id, 'ERROR lap 3');
        const ask = () => stage.driver.command('operator', 'logs', { deployment: id, grep: 'error' });
        const first = (await effectOf(stage, 'operator', ask)).privately.at(-1);
        for (const line of ['ERROR lap 4', 'ada joined']) stage.simulator.print(id, line);
        const again = await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Refresh'));
        expect(again.privately.at(-1)?.id).toBe(first?.id);
        expect(again.privately.at(-1)?.text).toMatch(/2 lines with “error”[\s\S]*ERROR lap 4/);
        expect(again.privately.at(-1)?.text).not.toContain('joined');
        await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Follow'));
        stage.simulator.print(id, 'ERROR lap 5');
        stage.speed(20);
        const followed = async () =>
          (await stage.driver.channel()).find(({ text }) => text.includes('lap 5'));
        const { text } = await until(followed, 'the new line in the channel');
        expect(text).toMatch(/Only lines with .*error/);
      } finally {
        await stage.close();
      }
    },
  );
});

describe('lines of a log that match', () => {
  let stage: Stage;
  let id = '';
  beforeAll(async () => {
    stage = await stageOn('console');
    id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    for (let n = 1; n <= 50; n++)
      stage.simulator.print(id, `tick ${n} \u001b[31m${n % 10 === 0 ? 'SLOW' : 'ok'}\u001b[0m`);
    stage.simulator.print(id, 'API_TOKEN=zzz-secret-value-zzz');
  });
  afterAll(() => stage?.close());
  const answerTo = async (values: Readonly<Record<string, string | number | boolean>>) => {
    const ask = () => stage.driver.command('operator', 'logs', { deployment: id, ...values });
    const { privately, publicly } = await effectOf(stage, 'operator', ask);
    return {
      text: [...privately, ...publicly].map(({ text }) => text).join('\n'),
      files: privately.flatMap(({ files }) => files),
    };
  };

  test.each([
    [{ grep: 'slow' }, /5 lines with “slow”[\s\S]*tick 10 SLOW[\s\S]*tick 50 SLOW/, /ok/],
    [{ grep: '/tick [12]0 /' }, /2 lines with[\s\S]*tick 10[\s\S]*tick 20/, /tick 30/],
    [{ grep: '/slow/i', lines: 2 }, /last 2 lines with[\s\S]*tick 40[\s\S]*tick 50/, /tick 30/],
    [{ grep: '/ok|TOKEN|args|REQUEST/', invert: true }, /lines without[\s\S]*tick 10 SLOW/, /ok/],
    [{ grep: 'token' }, /API_TOKEN=\[masked\]/, /secret-value/],
  ])('the command "logs" with %j shows exactly the lines that match', async (values, shown, hidden) => {
    const { text } = await answerTo(values);
    expect(text).toMatch(shown);
    expect(text.replace(/“.*”/g, '')).not.toMatch(hidden);
  });

  test('a search in a log does not reveal whether a guessed part of a secret is right', async () => {
    for (const grep of ['zzz-secret', '/zzz-s/', '/TOKEN=z/'])
      expect((await answerTo({ grep })).text).toMatch(/No line matches/);
    // A right guess gets the same answer as a wrong guess.
    const others = 'tick|args|REQUEST|joined|seed|CITY|PUBLIC|PORT|SERVER|FQDN|LOCATION';
    const guess = (letter: string) => answerTo({ grep: `/${others}|API_TOKEN=${letter}/`, invert: true });
    const right = await guess('z');
    const wrong = await guess('y');
    expect(right.text).toContain('API_TOKEN=[masked]');
    const shown = (text: string) => text.split('\n').filter((line) => !/Log of|Share/.test(line));
    expect(shown(right.text)).toEqual(shown(wrong.text));
  });

  test('with the option --file, "logs" attaches the whole log, even if the log is short', async () => {
    const { text, files } = await answerTo({ file: true });
    expect(text).toContain('tick 50');
    expect(files[0]?.content).toMatch(/tick 1 ok\n.*\[masked\]\n$/s);
  });

  test.each([
    [{ grep: 'x'.repeat(5_000) }, /grep is 5000 characters long; at most 500 fit/],
    [{ grep: '/(/' }, /I cannot read the pattern .*missing closing \)/],
    [{ grep: '/a/g' }, /the only letter that may follow/],
    [{ grep: `/${'.{0,1000}'.repeat(3)}#/` }, /the numbers in braces add up to more than 200/],
    [{ grep: '  ' }, /grep/],
    [{ invert: true }, /invert needs grep/],
  ])(
    'if the search pattern of "logs" is wrong, the command is refused with the reason: %#',
    async (values, reason) => {
      const { text } = await answerTo(values);
      expect(text).toMatch(reason);
      expect(text).not.toContain('Log of');
    },
  );

  test('a log search ends quickly, even with a pattern that is extremely slow in other engines for regular expressions', async () => {
    stage.simulator.print(id, `${'a'.repeat(60_000)}!`);
    expect((await answerTo({ grep: '/^(a+)+$/' })).text).toMatch(/No line matches/);
  });

  test('a search in a very long log shows the newest matching lines, and says that older lines were not searched', async () => {
    const long = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const line = `hit ${'x'.repeat(1_500)}`;
    for (let n = 0; n < 2_000; n++) stage.simulator.print(long, `${line} ${n}`);
    const { text } = await answerTo({ deployment: long, grep: 'hit', lines: 5_000 });
    expect(text).toMatch(/hit x+ 1999/);
    expect(text).toContain('Older lines were not searched');
  });
});
