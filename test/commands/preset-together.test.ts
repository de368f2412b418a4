import { afterAll, beforeAll, expect, test } from 'vitest';
import { effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await stageOn('console');
});
afterAll(() => stage?.close());

/** The answer that the person in the terminal sees. */
async function say(line: string): Promise<string> {
  const { privately, publicly } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
  expect(publicly).toEqual([]);
  return privately.map(({ text }) => text).join('\n');
}

test.each([
  ['--command ls --near Paris', 'With command, Edgegap takes only the addresses of players'],
  ['--command ls --cpu 200 --memory 200', 'command and cpu cannot be combined'],
  ['--cpu 200', 'cpu and memory belong together'],
  ['--cpu 200 --memory 900', 'memory may be at most twice cpu'],
  ['--host tournament-toronto-1', 'A host alone does not say of which fleet'],
  ['--fleet tournament --host nope', 'tournament has no host “nope”'],
])('a preset is not saved if no deploy can use its combination of options: %s', async (options, reason) => {
  expect(await say(`preset save never kart-racing ${options}`)).toContain(reason);
  expect(await say('preset list')).not.toContain('never');
});

test.each([
  ['--command ls'],
  ['--command ls --ip 203.0.113.7'],
  ['--fleet tournament'],
  ['--fleet tournament --host tournament-toronto-1'],
])('an incomplete preset is saved if the missing options can be given at the deploy: %s', async (options) => {
  expect(await say(`preset save ${options.replaceAll(/\W+/g, '-').slice(1, 30)} ${options}`)).toContain(
    'Saved the preset',
  );
});

test('if a deploy with a preset is refused, the answer names the options that come from the preset', async () => {
  await say('preset save run kart-racing --command ls');
  expect(await say('deploy @run --near Paris')).toMatch(
    /With command, Edgegap takes only.*The preset “run” gives application and command\./s,
  );
  await say('preset save part --near Tokyo --tag qa');
  expect(await say('deploy @part --tag night')).toMatch(
    /deploy needs an application.*The preset “part” gives near\./s,
  );
  expect(await say('deploy kart-racing v9 --near Tokyo')).not.toContain('The preset');
  expect(stage.simulator.deployments.size).toBe(0);
});

test.each(['last', '@HERE', 'channel', 'everyone'])(
  'a preset cannot have the name %s, because this word already has a meaning in commands',
  async (name) => {
    expect(await say(`preset save ${name} --near Tokyo`)).toMatch(
      /cannot be the name of a preset.* another meaning/s,
    );
  },
);

test.each([
  ['qä', 'qa'],
  ['Straße Nord', 'strasse-nord'],
  ['-x', 'x'],
])(
  'if a name is not allowed for a preset, the refusal suggests a similar name that is allowed: %s',
  async (name, possible) => {
    const values = { name, near: 'Tokyo' };
    const { privately } = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'preset save', values),
    );
    expect(privately.map(({ text }) => text).join()).toMatch(
      new RegExp(`cannot be the name.*, like ${possible}\\.`, 's'),
    );
  },
);
