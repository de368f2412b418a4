import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { deployReady, effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const KART = { application: 'Kart Racing', version: 'V1.2', near: 'montreal', tag: 'qa' };

const textOf = (messages: readonly { readonly text: string }[]) =>
  messages.map(({ text }) => text.replaceAll('\\', '')).join('\n');
const ask = (stage: Stage, command: string, values: Values = {}) =>
  effectOf(stage, 'operator', () => stage.driver.command('operator', command, values));
const line = (stage: Stage, typed: string) =>
  effectOf(stage, 'operator', () => typeLine(stage, 'operator', typed));
/** The tags of the newest deployment, without the bot's own tag. */
const newestTags = ({ simulator }: Stage) =>
  [...simulator.deployments.values()]
    .at(-1)
    ?.tags.map(({ name }) => name)
    .filter((name) => !name.startsWith('chatops-'));

/** Deploys, and waits until a message in the channel says that the server is ready. Returns the card. */
async function deployed(stage: Stage, act: () => Promise<void>): Promise<string> {
  const { driver, simulator, bot } = stage;
  const count = simulator.deployments.size;
  stage.speed(20);
  await act();
  await until(() => simulator.deployments.size > count, 'the deployment to exist');
  const id = [...simulator.deployments.keys()].at(-1) ?? '';
  const told = async () => (await driver.channel()).filter(({ text }) => text.includes(id));
  await until(async () => textOf(await told()).includes('is ready'), 'the channel to be told');
  await bot.app.settled();
  stage.speed(1);
  return textOf(await told());
}

const deploy = (stage: Stage, values: Values) =>
  deployed(stage, () => stage.driver.command('operator', 'deploy', values));

async function privately(stage: Stage, command: string, values: Values = {}): Promise<string> {
  const effect = await ask(stage, command, values);
  expect(effect.publicly).toEqual([]);
  return textOf(effect.privately);
}

test.each(['discord', 'slack-http'] as const)(
  'on %s, a form lists the presets that can be shown or deleted',
  async (name) => {
    const stage = await stageOn(name);
    onTestFinished(() => stage.close());
    const driver = stage.driver as DiscordDriver | SlackDriver;
    for (const preset of ['qa', 'night']) await ask(stage, 'preset save', { name: preset, ...KART });
    await driver.command('operator', 'preset show');
    expect(driver.form()).toEqual({ title: 'Show a preset', fields: ['name'] });
    await driver.command('operator', 'preset delete');
    expect(driver.form()).toEqual({ title: 'Delete a preset', fields: ['name'] });
    const offered =
      driver.platform === 'discord'
        ? JSON.stringify(driver.server.requests.at(-1)?.body)
        : (await driver.suggested('operator', 'preset delete', 'name', '')).join();
    expect(offered).toMatch(/night.*qa/);
    const deleted = await effectOf(stage, 'operator', () => driver.fillIn('operator', { name: 'qa' }));
    expect(textOf(deleted.privately)).toContain('Deleted the preset');
    expect(await privately(stage, 'preset list')).not.toContain('qa');
    // A menu cannot contain a name that is not saved, but a person can type the name in a command.
    const gone = await ask(stage, 'preset delete', { name: 'qa' });
    expect(textOf(gone.privately)).toContain('There is no preset “qa”');
  },
);

describe.each(driverNames)('presets on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name);
  });
  afterAll(() => stage?.close());

  test('a preset is saved with exact names, and only the person who asks sees a preset or the list of presets', async () => {
    expect(await privately(stage, 'preset list')).toMatch(/No presets yet.*preset save (?:name: )?qa/s);
    const saved = await privately(stage, 'preset save', { name: '@QA', ...KART });
    expect(saved).toMatch(/Saved the preset .?qa/);
    const shown = await privately(stage, 'preset show', { name: 'qa' });
    for (const text of [saved, shown])
      expect(text).toMatch(/kart-racing.*v1\.2.*Montreal, Quebec, Canada.*qa/s);
    expect(shown).toContain(name === 'discord' ? '/deploy preset: qa' : 'deploy @qa');
    expect(await privately(stage, 'preset list')).toMatch(
      /1 preset\b.*qa.*kart-racing v1\.2 · with near, tag/s,
    );
  });

  test('a deploy with a preset takes the options of the preset, and the card names the preset', async () => {
    expect(await deploy(stage, { preset: 'qa' })).toMatch(/kart-racing v1\.2.*Montreal.*Preset\W+qa/s);
    expect(newestTags(stage)).toEqual(['qa']);
  });

  test('in a deploy with a preset, an option that the person types replaces the same option of the preset', async () => {
    const values = { version: 'v1.3', tag: 'night', preset: 'qa' };
    expect(await deploy(stage, values)).toMatch(/kart-racing v1\.3.*Montreal/s);
    expect(newestTags(stage)).toEqual(['night']);
  });

  if (name !== 'discord')
    test('in the command "deploy", a word that begins with @ names a preset, at any position in the command', async () => {
      for (const typed of [
        'deploy @qa --tag one',
        'deploy --tag one @QA',
        'deploy kart-racing @qa --tag one',
      ]) {
        await deployed(stage, () => typeLine(stage, 'operator', typed));
        expect(newestTags(stage), typed).toEqual(['one']);
      }
    });

  test('the command "preset save" replaces an existing preset only with the option --replace', async () => {
    const other = { name: 'qa', application: 'lobby-chat', version: 'stable', near: 'Tokyo' };
    expect(await privately(stage, 'preset save', other)).toMatch(
      /There is a preset .qa. already.*(--replace|replace: True)/s,
    );
    expect(await privately(stage, 'preset show', { name: 'qa' })).toContain('kart-racing');
    expect(await privately(stage, 'preset save', { ...other, replace: true })).toContain('lobby-chat');
    expect(await privately(stage, 'preset show', { name: 'qa' })).not.toMatch(/kart-racing|Montreal|tag/);
  });

  test('"preset delete" deletes the preset and shows its options', async () => {
    const deleted = await privately(stage, 'preset delete', { name: 'qa' });
    expect(deleted).toMatch(/Deleted the preset .?qa.*lobby-chat.*stable.*Tokyo/s);
    const before = stage.simulator.deployments.size;
    for (const command of ['preset show', 'preset delete', 'deploy'])
      expect(
        await privately(stage, command, command === 'deploy' ? { preset: 'qa' } : { name: 'qa' }),
      ).toMatch(/There is no preset .qa.\.[\s│]+No preset has been saved here yet\./);
    expect(stage.simulator.deployments.size).toBe(before);
  });
});

test('both the question about a deploy with a preset and the card of the deployment name the preset', async () => {
  const stage = await stageOn('discord', { environment: { CONFIRM_DEPLOY: '1' } });
  onTestFinished(() => stage.close());
  await deployReady(stage);
  await ask(stage, 'preset save', { name: 'night-2', ...KART });
  expect(await privately(stage, 'deploy', { preset: 'night-2' })).toMatch(
    /Deploy kart-racing v1\.2\?.*night-2/s,
  );
  const { publicly } = await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Deploy'));
  expect(textOf(publicly)).toMatch(/Preset\W+night-2/);
});

test('a preset can omit the location or the version, which the person then gives at each deploy', async () => {
  const stage = await stageOn('console');
  onTestFinished(() => stage.close());
  await line(stage, 'preset save tokyo --near Tokyo');
  const missing = await line(stage, 'deploy @tokyo');
  expect(textOf(missing.privately)).toMatch(/deploy needs an application/);
  const act = () => typeLine(stage, 'operator', 'deploy lobby-chat stable @tokyo');
  expect(await deployed(stage, act)).toMatch(/lobby-chat stable.*Tokyo/s);
});

test('if a preset has the same name as a Slack member, a mention of the member means the preset', async () => {
  const stage = await stageOn('slack-socket');
  onTestFinished(() => stage.close());
  const { mention, server, userIds } = stage.driver as SlackDriver;
  const says = (id: string) => mention('operator', `deploy <@${id}> --tag night`);
  await ask(stage, 'preset save', { name: 'qa', ...KART });
  server.world.facts.set(userIds.member, { profile: { display_name: 'qa' } });
  await deployed(stage, async () => void (await says(userIds.member)));
  expect(newestTags(stage)).toEqual(['night']);
  server.faults.inject('users.info', { kind: 'error', error: 'missing_scope' });
  const { privately } = await effectOf(stage, 'operator', async () => void (await says('U0123ABCD')));
  expect(textOf(privately)).toMatch(/no preset .u0123abcd.*give the name like this: --preset qa/s);
});

test('a preset shows the names of variables but never their values, and a deploy with the preset sends the values', async () => {
  const stage = await stageOn('console');
  try {
    const say = (line: string) => effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
    const answers = [
      await say(
        'preset save qa kart-racing --near Tokyo --near 45.5,-73.57 --env PASSPHRASE="battery staple" --env MODE=race',
      ),
      await say('preset show qa'),
      await say('preset list'),
    ].map(({ privately }) => privately.at(-1)?.text ?? '');
    expect(answers.join()).not.toMatch(/battery|staple/);
    expect(answers[1]).toMatch(/near +Tokyo, .*Japan; 45\.5, -73\.57[\s\S]*env +PASSPHRASE, MODE/);
    await say('deploy @qa');
    const bodies = stage.simulator.requests.filter(({ endpoint }) => endpoint === 'deploy');
    expect(bodies).toHaveLength(1);
    const [deployed] = stage.simulator.deployments.values();
    expect(deployed?.environment).toMatchObject([
      { key: 'PASSPHRASE', value: 'battery staple' },
      { key: 'MODE', value: 'race' },
    ]);
  } finally {
    await stage.close();
  }
});
