import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { until } from '../support/test-clock.ts';
import { runDemo, startDemo } from './child.ts';

const DEPLOY = 'deploy kart-racing v1.2 --near Montreal --tag qa';

/** Long enough for several processes on a busy machine. The limit matters only if a test fails. */
const patient = { timeout: 60_000 };

/** Checks that `output` contains the texts in this order, possibly with other text between them. */
function expectInOrder(output: string, texts: readonly string[]): void {
  let rest = output;
  for (const text of texts) {
    expect(rest).toContain(text);
    rest = rest.slice(rest.indexOf(text) + text.length);
  }
}

describe.concurrent('the demo with lines from a pipe', patient, () => {
  test('the demo deploys and lists a server, which becomes ready through a callback', async () => {
    const { code, output, errors } = await runDemo(`${DEPLOY}\nlist\n`);
    expect(errors).toBe('');
    expect(code).toBe(0);
    expectInOrder(output, [
      `› ${DEPLOY}`,
      'kart-racing v1.2',
      '› list',
      '1 active',
      '.pr.edgegap.net:',
      'Ready',
      'is ready',
    ]);
    // These words appear only if no callback arrived and the bot had to ask Edgegap.
    expect(output).not.toContain('found by asking');
    expect(output).not.toContain('\u001b');
  });

  test('in the demo, a typed number presses a button, @last means the last server, and the end of the input ends the demo', async () => {
    const { child, finished, output } = startDemo('--fast');
    const press = async (label: string) => {
      const button = new RegExp(`\\[#(\\d+) ${label}\\]`);
      await until(() => button.test(output()), label, patient.timeout);
      child.stdin.write(`#${button.exec(output())?.[1]}\n`);
    };
    child.stdin.write(`${DEPLOY}\n`);
    await press('Stop');
    await press('Stop it');
    child.stdin.end('status @last\n');
    const { code, errors } = await finished;
    expect([code, errors]).toEqual([0, '']);
    expectInOrder(output(), [DEPLOY, 'Stop kart-racing v1.2?', '› status @last']);
    // The server can end before or after the person asks about it.
    expectInOrder(output(), [DEPLOY, 'Stop kart-racing v1.2?', '↳ • @you', 'stopped']);
  });

  test.each([
    ['no-image', 'could not be pulled'],
    ['crashes', 'exited with code 139'],
    ['no-capacity', 'no room'],
  ])(
    'if a server fails in the demo, the demo shows the failure and then ends: %s',
    async (version, expected) => {
      const { code, output, errors } = await runDemo(`deploy trouble ${version} --near Tokyo\n`);
      expect([code, errors]).toEqual([0, '']);
      expectInOrder(output, [`↳ ✗ @you trouble ${version}`, expected]);
    },
  );

  const badLines: [string, string][] = [
    ['bogus', 'There is no command “bogus”'],
    ['deploi', 'Did you mean deploy?'],
    ['deploy', 'deploy needs an application'],
    ['deploy kart-racing', 'I do not know where to deploy'],
    ['deploy kart-racing v1.2 --near Montreal surplus', '“surplus”'],
    ['deploy kart-racing v1.2 --speed 3', '“--speed”'],
    ['deploy kart-racing v1.2', 'I do not know where to deploy'],
    ['deploy nope v1 --near Montreal', 'There is no application “nope”'],
    ['deploy kart-racing v9 --near Montreal', 'no version “v9”'],
    ['deploy kart-racing v1.2 --near Atlantis', 'no location “Atlantis”'],
    [`deploy kart-racing v1.2 --near Montreal --tag ${'x'.repeat(21)}`, 'has 21 characters; at most 20'],
    ['deploy kart-racing v1.2 --ip 999.1.1.1', 'is not an IP address'],
    ['deploy kart-racing "v1.2', 'never closed'],
    ['stop $$$', 'is not a request_id'],
    ['status abc', '✗'],
    [`deploy ${'x'.repeat(20_000)}`, 'I read at most 12000 characters'],
    ['🏎️', 'There is no command “🏎️”'],
    ['#1', 'There is no button #1'],
    ['#1 please', 'type its number alone'],
    ['stop @last', '✗'],
  ];
  test('the demo answers each faulty line and starts no server', async () => {
    const { code, output, errors } = await runDemo(badLines.map(([line]) => `${line}\n`).join(''));
    expect(errors).toBe('');
    expect(code).toBe(0);
    const answers = output.split(/^› /m).slice(1);
    expect(answers).toHaveLength(badLines.length);
    for (const [index, [line, expected]] of badLines.entries()) {
      expect(answers[index]?.slice(0, 60)).toContain(line.slice(0, 40));
      expect(answers[index]).toContain(expected);
      expect(answers[index]).toMatch(/^(╭─ ✗|▲)/m);
    }
    expect(output).not.toContain('Ready');
  });
});

describe.concurrent('the tour of the demo', patient, () => {
  const tour = [
    '› deploy kart-racing v1.2 --near Montreal --tag qa',
    'is ready',
    '› logs @last',
    'waiting for players',
    '› metrics @last',
    'Metrics of',
    'CPU',
    '› tags @last add match-42',
    'match-42',
    '› stop @last',
    'Stop kart-racing v1.2?',
    '› #',
    'stopped',
    'That was the tour',
  ];

  test.each([
    ['empty', ''],
    ['only blank lines and comments', '\n# nothing to do\n\n'],
  ])('the demo plays its tour if the input is %s', async (_, input) => {
    const { code, output, errors } = await runDemo(input);
    expect([code, errors]).toEqual([0, '']);
    expectInOrder(output, tour);
    expect(output).toContain('[masked]');
  });

  test('the demo plays its tour if the input is a pipe that stays open and silent', async () => {
    const { child, finished } = startDemo('--fast');
    const { code, output, errors } = await finished;
    child.stdin.destroy();
    expect([code, errors]).toEqual([0, '']);
    expectInOrder(output, tour);
  });
});

describe.concurrent('how the demo ends', patient, () => {
  test('the demo does not fail if its output is closed early', async () => {
    const { child, finished } = startDemo('--fast');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.end(`${DEPLOY}\nlist\n`);
    const { code, errors } = await finished;
    expect([code, errors]).toEqual([0, '']);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s ends the demo with all its processes', async (signal, expected) => {
    const { child, finished, output } = startDemo();
    child.stdin.write(`${DEPLOY}\n`);
    await until(() => output().includes('request_id'), 'the deployment', patient.timeout);
    child.kill(signal);
    const { code, errors } = await finished;
    expect([code, errors]).toEqual([expected, '']);
  });

  test('the demo reads no lines after the line "exit"', async () => {
    const { code, output } = await runDemo(`exit\n${DEPLOY}\n`);
    expect(code).toBe(0);
    expect(output).not.toContain('deploy kart-racing');
  });
});

test('if the demo gets an unknown flag, the error names the flag and the demo exits with 2', async () => {
  const { child, finished } = startDemo('--fats');
  child.stdin.end();
  const { code, output, errors } = await finished;
  expect([code, output]).toEqual([2, '']);
  expect(errors).toContain("Unknown option '--fats'.\n\nUsage: npm run demo");
});
