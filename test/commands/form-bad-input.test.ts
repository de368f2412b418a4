import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CatalogApplication, defaultCatalog } from '../../src/simulator/catalog.ts';
import { pressAction } from '../command/harness.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { Modal, StoredInteraction } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { viewPayload } from '../support/slack-payloads.ts';
import { until } from '../support/test-clock.ts';
import { type Desk, openDesk } from './form-desk.ts';

const [version] = defaultCatalog.applications[0]?.versions ?? [];
if (!version) throw new Error('The default catalog is empty');
const named = (name: string, is_active = true) => ({ ...version, name, is_active });

/** A name with 64 characters, the maximum that Edgegap accepts. */
const LONG = `nightly-🏎️-${'é'.repeat(52)}`;
const RIGHT_TO_LEFT = 'מירוץ קארטינג';
const TOO_LONG = 'x'.repeat(101);
const builds = Array.from({ length: 400 }, (_, index) => named(`build-${index + 1}`));

const application = (name: string, ...versions: CatalogApplication['versions']): CatalogApplication => ({
  name,
  is_active: true,
  versions,
});

describe.each(['discord', 'slack-http'] as const)('bad input in a form on %s', (name) => {
  let desk: Desk;
  let driver: DiscordDriver | SlackDriver;
  const isDiscord = name === 'discord';
  const effect: Desk['effect'] = (act) => desk.effect(act);
  const count = () => desk.deployments().length;
  const fillIn = (values: Readonly<Record<string, string>>) => driver.fillIn('operator', values);

  /** Opens the form of `deploy` for an application. Returns the values that the person still has to enter. */
  async function openFor(wanted: string): Promise<Readonly<Record<string, string>>> {
    if (!isDiscord) {
      await driver.command('operator', 'deploy');
      return { application: wanted };
    }
    await effect(() => driver.command('operator', 'deploy'));
    await driver.choose('operator', wanted);
    return {};
  }

  /** Submits the form. Returns the refusal, which Slack shows at the field and Discord as an answer. */
  async function refused(values: Readonly<Record<string, string>>): Promise<string> {
    if (isDiscord) return (await effect(() => fillIn(values))).text;
    await fillIn(values);
    return Object.values(driver.mistakes()).join();
  }

  function remove(wanted: string): void {
    const index = desk.applications.findIndex((one) => one.name === wanted);
    desk.applications.splice(index, 1);
  }

  beforeAll(async () => {
    const extra = ['doomed', 'condemned', 'ending'].map((one) => application(one, named('v1')));
    extra.push(
      application('nightly', ...builds),
      application(RIGHT_TO_LEFT, named(LONG)),
      application('long-names', named(TOO_LONG), named('short')),
    );
    desk = await openDesk(name, { extra });
    driver = desk.stage.driver as DiscordDriver | SlackDriver;
  });
  let before = 0;
  beforeEach(() => {
    before = count();
  });
  afterAll(async () => {
    await desk?.close();
    if (driver.platform === 'discord') expect(driver.server.violations).toEqual([]);
    else expect(driver.server.web.refusals).toEqual([]);
  });

  test('text that matches no city or tag is refused with the reason, and the corrected form then deploys', async () => {
    const rest = await openFor('kart-racing');
    expect(await refused({ ...rest, near: '🏝️ Atlantis' })).toContain('no location “🏝️ Atlantis”');
    if (isDiscord) await driver.press('operator', 'Correct it');
    const tag = 'x'.repeat(200);
    expect(await refused({ ...rest, near: 'Paris', tag })).toMatch(/characters/);
    if (isDiscord) await driver.press('operator', 'Correct it');
    expect(count()).toBe(before);
    await effect(() => fillIn({ ...rest, near: 'Paris', tag: 'qa' }));
    expect(count()).toBe(before + 1);
  });

  test('if the selected application was deleted, the form is refused, and the person can deploy a different application', async () => {
    const rest = await openFor('doomed');
    remove('doomed');
    await desk.pass(70_000);
    expect(await refused({ ...rest, near: 'Paris' })).toContain('doomed');
    expect(count()).toBe(before);
    if (isDiscord) {
      await effect(() => driver.press('operator', 'Correct it'));
      await driver.choose('operator', 'kart-racing');
    }
    await effect(() => fillIn(isDiscord ? {} : { application: 'kart-racing', near: 'Paris' }));
    expect(count()).toBe(before + 1);
  });

  test('if an application has 400 versions, a person can deploy an old version that no menu shows', async () => {
    const rest = await openFor('nightly');
    const field = isDiscord ? 'version.other' : 'version';
    await effect(() => fillIn({ ...rest, [field]: 'build-7', near: 'Paris' }));
    expect(desk.deployments().at(-1)).toMatchObject({ application: 'nightly', version: 'build-7' });
  });

  test('names with emoji, accents and right-to-left text can be chosen and deployed, and too long a name hides no other name', async () => {
    const rest = await openFor(RIGHT_TO_LEFT);
    await effect(() => fillIn({ ...rest, version: LONG, near: 'Paris' }));
    expect(desk.deployments().at(-1)).toMatchObject({ application: RIGHT_TO_LEFT, version: LONG });
    const other = await openFor('long-names');
    if (driver.platform === 'slack')
      expect(await driver.offered('operator', 'deploy', 'version', '', other)).toEqual([
        { label: 'short', value: 'short' },
      ]);
    await effect(() => fillIn({ ...other, version: 'short', near: 'Paris' }));
    expect(desk.deployments().at(-1)).toMatchObject({ application: 'long-names', version: 'short' });
  });

  test('if a form is sent twice at the same moment, it is carried out once', async () => {
    const rest = await openFor('kart-racing');
    const values = { ...rest, near: 'Paris' };
    await effect(async () => {
      await Promise.all([fillIn(values), fillIn(values).catch(() => undefined)]);
    });
    await desk.stage.bot.app.settled();
    expect(count()).toBe(before + 1);
  });

  test('if a person has lost the right, a submitted form is refused, and the answer has no button', async () => {
    const rest = await openFor('kart-racing');
    await driver.regroup('operator', ['readers']);
    const { aside, text } = await effect(() => fillIn({ ...rest, near: 'Paris' }));
    await driver.regroup('operator', ['operators']);
    expect(text).toContain('You may not');
    expect(aside?.buttons).toEqual([]);
    expect(count()).toBe(before);
  });

  test('if an update of the bot has removed a field of an open form, the form is refused, and a new form keeps the other values', async () => {
    const rest = await openFor('kart-racing');
    const { aside, text } = await effect(() => submitWithField('seed', { ...rest, near: 'Paris' }));
    expect(text).toContain('the field “seed”, which I no longer know');
    expect(aside?.buttons).toEqual(['Open form']);
    expect(count()).toBe(before);
    await driver.press('operator', 'Open form');
    expect(driver.shown('near')).toBe('Paris');
    await effect(() => fillIn({}));
    expect(count()).toBe(before + 1);
  });

  test('if a button opens a part of a form that this version of the bot lacks, the form opens at its beginning', async () => {
    const opened = driver.opened();
    const press = () => pressAction(desk.stage, 'operator', { command: 'deploy', action: 'form', arg: '.9' });
    if (isDiscord) expect((await effect(press)).text).toContain('Then a form asks for');
    else {
      await press();
      await until(() => driver.opened() > opened, 'the form');
      expect(driver.form()?.fields).toContain('application');
    }
  });

  test('if a chosen preset is deleted before the form is submitted, the form reports the preset as missing, and the person can remove it', async () => {
    const save = { name: 'gone', application: 'kart-racing', tag: 'qa' };
    await effect(() => driver.command('operator', 'preset save', save));
    await driver.command('operator', 'deploy', { preset: 'gone' });
    await effect(() => driver.command('operator', 'preset delete', { name: 'gone' }));
    const values: Record<string, string> = isDiscord ? {} : { application: 'kart-racing' };
    expect(await refused({ ...values, near: 'Paris' })).toContain('There is no preset “gone”');
    expect(count()).toBe(before);
    if (isDiscord) {
      await driver.press('operator', 'Correct it');
      expect(driver.form()?.fields).toContain('preset');
      await effect(() => fillIn({ preset: '' }));
      await driver.press('operator', 'Continue');
    }
    await effect(() => fillIn({ ...values, ...(isDiscord ? {} : { preset: '', near: 'Paris' }) }));
    expect(count()).toBe(before + 1);
    expect(
      desk
        .deployments()
        .at(-1)
        ?.tags.map((tag) => tag.name),
    ).not.toContain('qa');
  });

  test('if the application of a preset was deleted, the form is refused, and the person can enter a different application', async () => {
    const save = { name: 'old', application: 'condemned', tag: 'qa' };
    await effect(() => driver.command('operator', 'preset save', save));
    await driver.command('operator', 'deploy', { preset: 'old' });
    remove('condemned');
    await desk.pass(70_000);
    expect(await refused({ near: 'Paris' })).toContain('There is no application “condemned”');
    if (isDiscord) {
      await effect(() => driver.press('operator', 'Correct it'));
      await driver.choose('operator', 'kart-racing');
    }
    await effect(() => fillIn({ near: 'Paris', ...(isDiscord ? {} : { application: 'kart-racing' }) }));
    expect(desk.deployments().at(-1)).toMatchObject({ application: 'kart-racing' });
    expect(
      desk
        .deployments()
        .at(-1)
        ?.tags.map((tag) => tag.name),
    ).toContain('qa');
  });

  test('if an application loses its last active version while its form is open, the form is refused and nothing is deployed', async () => {
    const rest = await openFor('ending');
    const index = desk.applications.findIndex((one) => one.name === 'ending');
    desk.applications[index] = application('ending', named('v1', false));
    await desk.pass(70_000);
    expect(await refused({ ...rest, near: 'Paris' })).toContain('ending has no active version.');
    expect(count()).toBe(before);
  });

  /** Submits a form from an older version, in which the first field after the application had this name. */
  async function submitWithField(field: string, values: Readonly<Record<string, string>>): Promise<void> {
    if (driver.platform === 'slack') {
      const view = structuredClone(driver.server.web.views.open.at(-1));
      if (!view) throw new Error('No form is open');
      const blocks = view.blocks.map((block) =>
        block.block_id === 'version' ? { ...block, block_id: field } : block,
      );
      const user = driver.userIds.operator;
      const said = { user, view: { ...view, blocks } as typeof view, values: { ...values, [field]: '7' } };
      await driver.deliver('interactive', viewPayload(driver.server.world, 'view_submission', said));
      return;
    }
    const body = driver.server.requests.at(-1)?.body as { readonly data: Modal } | undefined;
    if (!body) throw new Error('No form is open');
    const [first, ...others] = body.data.components;
    const renamed = { ...first, type: 18, component: { type: 3, ...first?.component, custom_id: field } };
    const modal = { ...body.data, components: [renamed, ...others] };
    const opener: Pick<StoredInteraction, 'modal' | 'source'> = { modal, source: undefined };
    const sent = driver.server.submit(opener as StoredInteraction, driver.user('operator'), {
      ...values,
      [field]: '7',
    });
    await until(() => sent.acknowledged !== undefined, 'an answer');
  }
});

describe('requests that a platform no longer knows', () => {
  test("on Slack, if a button's trigger is too old, the answer has a new button that opens the form with all values", async () => {
    const desk = await openDesk('slack-http');
    const driver = desk.stage.driver as SlackDriver;
    const { views } = driver.server.web;
    try {
      views.everyTriggerExpired = true;
      const late = await desk.effect(() => driver.slash('operator', 'deploy kart-racing --tag qa'));
      expect(late.text).toContain('The form came too late for Slack.');
      expect(late.aside?.buttons).toEqual(['Open form']);
      const again = await desk.effect(() => driver.press('operator', 'Open form'));
      expect(again.text).toContain('The form came too late for Slack.');
      expect(again.aside?.buttons).toEqual(['Open form']);
      views.everyTriggerExpired = false;
      await driver.press('operator', 'Open form');
      expect([driver.shown('application'), driver.shown('tag')]).toEqual(['kart-racing', 'qa']);
    } finally {
      await desk.close();
    }
  });

  test('on Discord, if the submission of a form part is unknown (10062), the person can send the part again', async () => {
    const desk = await openDesk('discord');
    const driver = desk.stage.driver as DiscordDriver;
    try {
      await desk.effect(() => driver.command('operator', 'deploy'));
      await driver.press('operator', 'Variables');
      const answer = { status: 404, body: { code: 10062, message: 'Unknown interaction' } };
      driver.server.fault({ on: /POST .*callback/, answer, times: 2 });
      driver.fillIn('operator', { env: 'MODE=race' }).catch(() => undefined);
      await until(() => desk.stage.bot.log.join().includes('"outcome":"unanswered"'), 'the log line');
      const { text } = await desk.effect(() => driver.fillIn('operator', { env: 'MODE=race' }));
      expect(text).toContain('MODE');
    } finally {
      await desk.close();
    }
  });
});
