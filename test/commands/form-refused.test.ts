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

/** Opens the form of `deploy` on Discord, after the person has entered a hidden variable and the application. */
async function openDeploy(stage: Stage): Promise<void> {
  const driver = stage.driver as DiscordDriver;
  await effectOf(stage, 'operator', () => driver.command('operator', 'deploy'));
  await driver.press('operator', 'Variables');
  await effectOf(stage, 'operator', () => driver.fillIn('operator', { hidden: `TOKEN=${SECRET}` }));
  await driver.choose('operator', 'kart-racing');
}

/** Delays Edgegap's answers to list calls, so that a request of a person stays in progress. */
function holdEdgegap({ simulator }: Stage, ms: number): void {
  simulator.faults.next({ endpoint: 'list' }, { kind: 'slow', when: 'before', ms }, 100);
}

/** Opens the form of `deploy` on Discord, and then sends so many requests that the bot refuses all further requests. */
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

/** Checks that the bot deployed a single server with the hidden variable, and showed the value nowhere. */
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

test('if too many requests of a person wait, a form on Discord is refused with a button that reopens the filled-in form', async () => {
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

test('if a person loses the right to deploy, a form that is refused for too many requests offers no button', async () => {
  const { stage, driver, asking } = await openCrowded();
  await driver.regroup('operator', ['readers']);
  const before = (await driver.privately('operator')).length;
  await driver.fillIn('operator', { near: 'Paris' });
  await until(async () => (await driver.privately('operator')).length > before, 'the refusal of the form');
  expect((await driver.privately('operator')).flatMap(({ buttons }) => buttons)).not.toContain('Open form');
  stage.simulator.faults.clear();
  await asking;
});

test('if a form on Discord is submitted while the bot restarts, the person can open it again with all values later', async () => {
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

test('if Discord no longer knows a submission, nothing is deployed, and the person can send the open form again', async () => {
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

test('if a form on Discord arrives too late after a disconnection, the bot deploys nothing, and the form can be sent again', async () => {
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

test('if a limit on deployments refuses a form on Discord, a button opens the form again with all values', async () => {
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

test('if a limit on deployments refuses a form on Slack, the form stays open, and a field shows the reason', async () => {
  const { stage, driver, deployments } = await openFor<SlackDriver>('slack-http', { MAX_RUNNING: '1' });
  await deployReady(stage);
  await driver.command('operator', 'deploy');
  await driver.fillIn('operator', { application: 'kart-racing', near: 'Paris' });
  expect(Object.values(driver.mistakes()).join()).toContain('the limit is 1');
  expect(deployments()).toHaveLength(1);
});

test("if a person closes a form on Slack, the form's values are deleted a minute later, but the values of a button stay", async () => {
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

test('if a form is closed at the moment of its submission, the form is still carried out', async () => {
  const { driver, stage, deployments } = await openFor<SlackDriver>('slack-http');
  await driver.command('operator', 'deploy');
  await driver.closeForm('operator');
  await effectOf(stage, 'operator', () =>
    driver.fillIn('operator', { application: 'kart-racing', near: 'Paris' }),
  );
  expect(deployments()).toHaveLength(1);
});

test('a person cannot delete the form values of another person', async () => {
  const { driver, stage, deployments, pass } = await openFor<SlackDriver>('slack-http');
  await driver.command('operator', 'deploy');
  await driver.closeForm('reader');
  await pass(62_000);
  await effectOf(stage, 'operator', () =>
    driver.fillIn('operator', { application: 'kart-racing', near: 'Paris' }),
  );
  expect(deployments()).toHaveLength(1);
});
