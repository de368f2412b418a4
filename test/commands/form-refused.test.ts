import { expect, onTestFinished, test } from 'vitest';
import { deployReady, effectOf, type Stage } from '../command/harness.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';
import { openDesk, SECRET } from './form-desk.ts';

async function openFor<Driver>(name: 'discord' | 'slack-http', environment: Record<string, string> = {}) {
  const desk = await openDesk(name, { environment });
  onTestFinished(() => desk.close());
  return { ...desk, driver: desk.stage.driver as Driver };
}

/** Opens the form of `deploy` on Discord, after a hidden variable and the application were entered. */
async function openDeploy(stage: Stage): Promise<void> {
  const driver = stage.driver as DiscordDriver;
  await effectOf(stage, 'operator', () => driver.command('operator', 'deploy'));
  await driver.press('operator', 'Variables');
  await effectOf(stage, 'operator', () => driver.fillIn('operator', { hidden: `TOKEN=${SECRET}` }));
  await driver.choose('operator', 'kart-racing');
}

/** Edgegap answers no list for a while, so that a person's request is under way. */
function holdEdgegap({ simulator }: Stage, ms: number): void {
  simulator.faults.next({ endpoint: 'list' }, { kind: 'slow', when: 'before', ms }, 100);
}

/** On Discord, the form of `deploy` is open, and so many requests of the person wait that the bot refuses further ones. */
async function openCrowded() {
  const desk = await openFor<DiscordDriver>('discord', { PERSON_REQUESTS: '6', PERSON_WAITING: '1' });
  const { stage, driver } = desk;
  await openDeploy(stage);
  holdEdgegap(stage, 8_000);
  const ask = () => driver.command('operator', 'list').catch(() => undefined);
  const asking = Promise.all(Array.from({ length: 8 }, ask));
  await until(() => stage.bot.log.join().includes('too-many-waiting'), 'a refusal');
  return { ...desk, asking };
}

/** A single server was deployed, with the hidden variable, whose value the bot showed nowhere. */
async function expectOneDeploy({
  deployments,
  everything,
}: Pick<Awaited<ReturnType<typeof openDesk>>, 'deployments' | 'everything'>): Promise<void> {
  expect(deployments().map(({ environment }) => environment)).toEqual([
    [{ key: 'TOKEN', value: SECRET, is_hidden: true }],
  ]);
  expect(await everything()).not.toContain(SECRET);
}

const answered = async ({ driver }: Stage, like: RegExp) =>
  (await driver.privately('operator')).findLast(({ text }) => like.test(text));

test('if too many requests of a person on Discord wait, a submitted form is refused with a button that opens the form with all values', async () => {
  const { stage, driver, deployments, everything, asking } = await openCrowded();
  await driver.fillIn('operator', { near: 'Paris', tag: 'qa' });
  const refusal = /of your requests wait already/;
  await until(
    async () => (await answered(stage, refusal))?.buttons.includes('Open form') ?? false,
    'the button',
  );
  expect(deployments()).toHaveLength(0);
  stage.simulator.faults.clear();
  await asking;
  await stage.bot.app.settled();
  await driver.press('operator', 'Open form');
  expect(driver.form()?.title).toBe('Deploy kart-racing');
  expect([driver.shown('near'), driver.shown('tag')]).toEqual(['Paris', 'qa']);
  await effectOf(stage, 'operator', () => driver.fillIn('operator', {}));
  expect(deployments().map(({ application }) => application)).toEqual(['kart-racing']);
  expect(deployments()[0]?.environment).toEqual([{ key: 'TOKEN', value: SECRET, is_hidden: true }]);
  expect(await everything()).not.toContain(SECRET);
});

test('a person who loses the right to deploy gets no button with a form that the fair share refuses', async () => {
  const { stage, driver, asking } = await openCrowded();
  await driver.regroup('operator', ['readers']);
  const before = (await driver.privately('operator')).length;
  await driver.fillIn('operator', { near: 'Paris' });
  await until(async () => (await driver.privately('operator')).length > before, 'the refusal of the form');
  expect((await driver.privately('operator')).flatMap(({ buttons }) => buttons)).not.toContain('Open form');
  stage.simulator.faults.clear();
  await asking;
});

test('a form that is submitted on Discord while the bot restarts can be opened again with all values after the restart', async () => {
  const { stage, driver, deployments, everything } = await openFor<DiscordDriver>('discord');
  await openDeploy(stage);
  holdEdgegap(stage, 3_000);
  await driver.command('operator', 'list');
  const restarted = stage.bot.restart();
  await driver.fillIn('operator', { near: 'Paris', tag: 'qa' });
  await until(
    async () => (await answered(stage, /I am being restarted/))?.buttons.includes('Open form') ?? false,
    'the button',
  );
  stage.bot = await restarted;
  await driver.ready(stage.bot);
  await driver.press('operator', 'Open form');
  expect([driver.shown('near'), driver.shown('tag')]).toEqual(['Paris', 'qa']);
  await effectOf(stage, 'operator', () => driver.fillIn('operator', {}));
  await expectOneDeploy({ deployments, everything });
});

test('if Discord no longer knows the submission, nothing is deployed, and the form that is still open can be sent again', async () => {
  const { stage, driver, deployments, everything } = await openFor<DiscordDriver>('discord');
  await openDeploy(stage);
  const answer = { status: 404, body: { code: 10062, message: 'Unknown interaction' } };
  driver.server.fault({ on: /POST .*callback/, answer, times: 2 });
  driver.fillIn('operator', { near: 'Paris' }).catch(() => undefined);
  await until(() => stage.bot.log.join().includes('"outcome":"unanswered"'), 'the log line');
  expect(deployments()).toHaveLength(0);
  await effectOf(stage, 'operator', () => driver.fillIn('operator', { near: 'Paris' }));
  await expectOneDeploy({ deployments, everything });
});

test('a form that reaches Discord while the bot is away deploys nothing when the session is resumed too late, and once when the form is sent again', async () => {
  const { stage, driver, deployments, pass } = await openFor<DiscordDriver>('discord');
  await openDeploy(stage);
  await stage.bot.app.stop();
  driver.fillIn('operator', { near: 'Paris' }).catch(() => undefined);
  await pass(10_000);
  stage.bot = await stage.bot.restart();
  await driver.ready(stage.bot);
  await until(() => stage.bot.log.join().includes('"outcome":"unanswered"'), 'the log line');
  expect(driver.server.gateway.resumes).toBe(1);
  expect(deployments()).toHaveLength(0);
  await effectOf(stage, 'operator', () => driver.fillIn('operator', { near: 'Paris' }));
  await driver.submitAgain('operator');
  await stage.bot.app.settled();
  expect(deployments()).toHaveLength(1);
});

test('a form that a limit refuses on Discord can be opened again with all values', async () => {
  const { stage, driver, deployments } = await openFor<DiscordDriver>('discord', { MAX_RUNNING: '1' });
  await deployReady(stage);
  await openDeploy(stage);
  await driver.fillIn('operator', { near: 'Paris', tag: 'qa' });
  await until(async () => (await answered(stage, /the limit is 1/)) !== undefined, 'the refusal');
  expect((await answered(stage, /the limit is 1/))?.buttons).toEqual(['Open form']);
  await driver.press('operator', 'Open form');
  expect([driver.shown('near'), driver.shown('tag')]).toEqual(['Paris', 'qa']);
  expect(deployments()).toHaveLength(1);
});

test('a form that a limit refuses on Slack stays open, and says so at a field', async () => {
  const { stage, driver, deployments } = await openFor<SlackDriver>('slack-http', { MAX_RUNNING: '1' });
  await deployReady(stage);
  await driver.command('operator', 'deploy');
  await driver.fillIn('operator', { application: 'kart-racing', near: 'Paris' });
  expect(Object.values(driver.mistakes()).join()).toContain('the limit is 1');
  expect(deployments()).toHaveLength(1);
});

test('the values of a form that a person closes on Slack are deleted a minute later, but not those of the button in the answer', async () => {
  const { driver, stage, deployments, pass } = await openFor<SlackDriver>('slack-http');
  await driver.slash('operator', 'deploy kart-racing --env MODE=race');
  await driver.closeForm('operator');
  await pass(62_000);
  const closed = await effectOf(stage, 'operator', () => driver.fillIn('operator', { near: 'Paris' }));
  expect(closed.privately.at(-1)?.text).toContain(
    'This form was sent already, or is more than 12 hours old.',
  );
  expect(deployments()).toHaveLength(0);
  await driver.press('operator', 'Open form');
  await driver.closeForm('operator');
  await pass(62_000);
  await driver.press('operator', 'Open form');
  expect(driver.shown('near')).toBe('Paris');
  await effectOf(stage, 'operator', () => driver.fillIn('operator', {}));
  expect(deployments()).toHaveLength(1);
});

test('a form that is closed in the moment in which it is sent is carried out', async () => {
  const { driver, stage, deployments } = await openFor<SlackDriver>('slack-http');
  await driver.command('operator', 'deploy');
  await driver.closeForm('operator');
  await effectOf(stage, 'operator', () =>
    driver.fillIn('operator', { application: 'kart-racing', near: 'Paris' }),
  );
  expect(deployments()).toHaveLength(1);
});

test('a person cannot delete the values of the form of another person', async () => {
  const { driver, stage, deployments, pass } = await openFor<SlackDriver>('slack-http');
  await driver.command('operator', 'deploy');
  await driver.closeForm('reader');
  await pass(62_000);
  await effectOf(stage, 'operator', () =>
    driver.fillIn('operator', { application: 'kart-racing', near: 'Paris' }),
  );
  expect(deployments()).toHaveLength(1);
});
