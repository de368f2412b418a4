import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import type { Kind } from '../../src/command/kinds/kind.ts';
import { kinds } from '../../src/command/kinds/kinds.ts';
import { commandFolder } from '../command/command-folder.ts';
import { AT_ONCE, effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';
import { startBot } from '../support/bot.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';

/** The answer that the person in the terminal sees. */
async function say(stage: Stage, line: string): Promise<string> {
  const { privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
  return privately.map(({ text }) => text).join('\n');
}

async function started(options: Parameters<typeof stageOn>[1] = {}): Promise<Stage> {
  const stage = await stageOn('console', options);
  onTestFinished(() => stage.close());
  return stage;
}

/** A database that exists longer than the bot. */
function lastingDatabase(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'bot.db');
}

/** A kind of option with secret values. */
const pairs: Kind<string> = {
  many: true,
  input: () => ({ type: 'text', maxLength: 100 }),
  parse: (given) => [given].flat().join(' '),
  shown: (given) =>
    [given]
      .flat()
      .map((pair) => String(pair).split('=')[0])
      .join(', '),
};

const DEPLOY = `
export default {
  description: 'Deploy',
  permission: 'deployments.deploy',
  ack: 'private',
  interrupted: 'Nothing was deployed.',
  options: {
    application: { kind: 'application', required: 'or-preset', positional: true, description: 'The application' },
    pairs: { kind: 'pairs', description: 'Variables' },
    lobby: { kind: 'boolean', description: 'With a lobby' },
    preset: { kind: 'preset', description: 'A preset' },
  },
  async run({ options, respond }) {
    await respond({ kind: 'line', tone: 'neutral', text: ['Got ' + JSON.stringify(options)] });
  },
};
`;

const { path: commands, remove } = commandFolder('preset-values', { deploy: DEPLOY });
afterAll(remove);

test('a preset can hold any option of the command "deploy", and does not show secret values', async () => {
  const stage = await started({ commands, kinds: { ...kinds, pairs } });
  const answers = [
    await say(stage, 'preset save qa kart-racing --pairs TOKEN=s3cret-7 --pairs MODE=fast-7 --lobby'),
    await say(stage, 'preset show qa'),
    await say(stage, 'preset list'),
  ];
  expect(await say(stage, 'deploy @qa')).toContain(
    'Got {"application":"kart-racing","pairs":"TOKEN=s3cret-7 MODE=fast-7","lobby":true,"preset":"qa"}',
  );
  expect(await say(stage, 'deploy @qa --pairs MODE=slow')).toContain('"pairs":"MODE=slow"');
  answers.push(await say(stage, 'preset delete qa'));
  expect(answers.join('\n')).not.toMatch(/s3cret-7|fast-7/);
  for (const index of [0, 1, 3]) expect(answers[index]).toMatch(/pairs +TOKEN, MODE.*lobby +true/s);
  expect(stage.bot.log.join('\n')).not.toMatch(/s3cret-7|fast-7/);
});

test('a preset shows the number of players and says that a command and arguments are set, but does not show their values', async () => {
  const stage = await started();
  const secret = '--ip 203.0.113.7,203.0.113.8 --command "run -p hunter-7" --arguments "--rcon hunter-8"';
  const answers = [
    await say(stage, `preset save qa kart-racing ${secret}`),
    await say(stage, 'preset show qa'),
    await say(stage, 'preset list'),
    await say(stage, `preset save qa kart-racing ${secret} --replace`),
    await say(stage, 'preset delete qa'),
  ];
  expect(answers.join('\n')).not.toMatch(/hunter|203\.0\.113/);
  for (const index of [0, 1, 3, 4])
    expect(answers[index]).toMatch(/ip +2 players.*command +set.*arguments +set/s);
});

test('if "deploy" no longer has an option of a preset, the preset is shown without its value and cannot be deployed', async () => {
  const environment = { DATABASE_URL: lastingDatabase() };
  const stage = await started({ commands, kinds: { ...kinds, pairs }, environment });
  await say(stage, 'preset save qa kart-racing --pairs TOKEN=s3cret-7');
  await stage.bot.app.stop();
  const edgegap = stage.simulator;
  stage.bot = await startBot(stage.driver, {
    clock: pacedClock(1),
    edgegap,
    environment,
    simulator: AT_ONCE,
  });
  const shown = await say(stage, 'preset show qa');
  expect(shown).toMatch(/kart-racing.*pairs +deploy no longer has this option/s);
  expect(shown).not.toContain('s3cret-7');
  expect(await say(stage, 'deploy @qa v1.2 --near Tokyo')).toMatch(
    /preset .qa. has the option pairs, which deploy no longer has/,
  );
  expect(edgegap.deployments.size).toBe(0);
  await edgegap.close();
});

test('if a preset names an application that is no longer allowed, a deploy with the preset is refused', async () => {
  const environment = { DATABASE_URL: lastingDatabase() };
  const stage = await started({ environment });
  await say(stage, 'preset save qa kart-racing v1.2 --near Tokyo');
  await stage.bot.app.stop();
  stage.bot = await startBot(stage.driver, {
    clock: pacedClock(1),
    edgegap: stage.simulator,
    environment: { ...environment, APP_ALLOWLIST: 'lobby-chat' },
  });
  expect(await say(stage, 'deploy @qa')).toMatch(/no application .kart-racing/);
  expect(stage.simulator.deployments.size).toBe(0);
  await stage.simulator.close();
});

test('the list of presets has pages, and at most 200 presets can be saved', async () => {
  const stage = await started();
  for (let count = 101; count <= 300; count++)
    await (stage.driver as ConsoleDriver).type(`preset save p${count} --near Tokyo`);
  expect(await say(stage, 'preset save one-more --near Tokyo')).toMatch(
    /There are 200 presets here.*Nothing was saved/s,
  );
  expect(await say(stage, 'preset save P150 --near Paris --replace')).toContain('Saved the preset p150');
  expect(await say(stage, 'preset list')).toMatch(/200 presets.*p101.*p110.*Page 1 of 20/s);
  const next = await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Next'));
  expect(next.privately.map(({ text }) => text).join()).toMatch(/p111.*p120.*Page 2 of 20/s);
  expect(await (stage.driver as ConsoleDriver).complete('deploy --preset p29')).toEqual([
    Array.from({ length: 10 }, (_, digit) => `p29${digit} `),
    'p29',
  ]);
});
