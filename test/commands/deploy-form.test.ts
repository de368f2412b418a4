import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CatalogApplication, defaultCatalog } from '../../src/simulator/catalog.ts';
import { deployElsewhere, effectOf } from '../command/harness.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { StoredInteraction } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';
import { type Desk, DOTS, openDesk, SECRET } from './form-desk.ts';

const [kart] = defaultCatalog.applications;
const [version] = kart?.versions ?? [];
if (!kart || !version) throw new Error('The default catalog is empty');

/** A name with 64 characters, the maximum that Edgegap accepts. */
const LONG = `nightly-🏎️-${'é'.repeat(52)}`;
const RIGHT_TO_LEFT = 'מירוץ קארטינג';
/** A name that is too long for Edgegap and for a menu value on Slack or Discord. */
const TOO_LONG = 'x'.repeat(101);

const named = (name: string, is_active = true) => ({ ...version, name, is_active });
const builds = Array.from({ length: 400 }, (_, index) => named(`build-${index + 1}`));
const extra: CatalogApplication[] = [
  { name: 'no-active', is_active: true, versions: [named('v1', false)] },
  { name: 'nightly', is_active: true, versions: builds },
  { name: RIGHT_TO_LEFT, is_active: true, versions: [named(LONG)] },
  { name: 'doomed', is_active: true, versions: [named('v1')] },
  { name: 'fading', is_active: true, versions: [named('v1')] },
  { name: 'long-names', is_active: true, versions: [named(TOO_LONG), named('short')] },
];

describe('the form of deploy on Discord', () => {
  let desk: Desk;
  let driver: DiscordDriver;
  const effect: Desk['effect'] = (act) => desk.effect(act);
  const deployments = () => desk.deployments();
  const count = () => deployments().length;
  beforeAll(async () => {
    desk = await openDesk('discord', { extra });
    driver = desk.stage.driver as DiscordDriver;
  });
  afterAll(async () => {
    await desk?.close();
    expect(driver.server.violations).toEqual([]);
  });

  const choose = (label: string) => driver.choose('operator', label);
  const fillIn = (values: Readonly<Record<string, string>>) =>
    effect(() => driver.fillIn('operator', values));
  const openFor = async (application: string) => {
    await effect(() => driver.command('operator', 'deploy'));
    await choose(application);
  };

  test('/deploy without options first asks for the application with a private menu, and then for the other options with a form', async () => {
    const asked = await effect(() => driver.command('operator', 'deploy'));
    expect(asked.text).toContain('Then a form asks for version, city, tags and lifetime.');
    expect(asked.aside?.buttons).toEqual(['Variables', 'Resources', 'Players and container']);
    expect(asked.publicly).toBe('');
    await choose('kart-racing');
    expect(driver.form()).toEqual({ title: 'Deploy kart-racing', fields: ['version', 'near', 'tag', 'for'] });
    const { publicly } = await fillIn({ version: 'v1.2', near: 'Montreal', tag: 'qa, night', for: '2h' });
    expect(publicly).toContain('kart-racing v1.2');
    const made = deployments().at(-1);
    expect(made).toMatchObject({ application: 'kart-racing', version: 'v1.2' });
    expect(made?.tags.map(({ name }) => name)).toEqual(expect.arrayContaining(['qa', 'night']));
  });

  test('/deploy with an application opens the form at once if the location is missing', async () => {
    const opened = driver.opened();
    await driver.command('operator', 'deploy', { application: 'kart-racing', tag: 'night' });
    expect(driver.opened()).toBe(opened + 1);
    expect(driver.shown('tag')).toBe('night');
    const { publicly } = await fillIn({ near: 'Tokyo' });
    expect(publicly).toMatch(/kart-racing v1\.3.*Tokyo/s);
  });

  test('if a menu has no room for all versions, the form of deploy has a text field beside the menu', async () => {
    await openFor('nightly');
    expect(driver.form()?.fields).toEqual(['version', 'version.other', 'near', 'tag', 'for']);
    const { publicly } = await fillIn({ 'version.other': 'build-7', version: 'build-400', near: 'Paris' });
    expect(publicly).toContain('nightly build-7');
  });

  test('in the form of deploy, a text that matches no version is refused, and the corrected form deploys once', async () => {
    const before = count();
    await openFor('nightly');
    const wrong = await fillIn({ 'version.other': 'build-7000', near: 'Paris', tag: 'qa' });
    expect(wrong.text).toContain('nightly has no version “build-7000”');
    expect(wrong.aside?.buttons).toEqual(['Correct it']);
    await driver.press('operator', 'Correct it');
    expect(driver.form()?.title).toBe('Deploy nightly');
    expect([driver.shown('version'), driver.shown('near'), driver.shown('tag')]).toEqual([
      'build-7000',
      'Paris',
      'qa',
    ]);
    await fillIn({ 'version.other': 'build-70' });
    expect(count()).toBe(before + 1);
  });

  test('in the form of stop, a person can type a deployment that is not in the menu', async () => {
    for (let n = 0; n < 26; n++) await deployElsewhere(desk.stage.simulator, 'lobby-chat', 'stable');
    // After a minute, a request for suggestions makes the bot read the list of running servers again in the background.
    await desk.pass(61_000);
    await until(
      async () => (await driver.suggested('operator', 'stop', 'deployment', 'lobby')).length === 25,
      'all deployments to be suggested',
    );
    await driver.command('operator', 'stop');
    expect(driver.form()?.fields).toEqual(expect.arrayContaining(['deployment', 'deployment.other']));
    const id = deployments().at(0)?.request_id ?? '';
    const { text } = await fillIn({ 'deployment.other': id });
    expect(text).toContain(id);
    const without = await effect(() =>
      driver.command('operator', 'stop').then(() => driver.fillIn('operator', {})),
    );
    expect(without.text).toContain('stop needs a deployment');
  });

  test('an application without an active version is refused before a form opens', async () => {
    const opened = driver.opened();
    await effect(() => driver.command('operator', 'deploy'));
    const { text } = await effect(() => choose('no-active'));
    expect(text).toContain('no-active has no active version.');
    expect(driver.opened()).toBe(opened);
  });

  test('if an application is deleted after a person chose it, the deploy is refused', async () => {
    const before = count();
    await openFor('doomed');
    desk.applications.splice(
      desk.applications.findIndex(({ name }) => name === 'doomed'),
      1,
    );
    // If the list of versions is older than a few seconds, the bot reads the newest version again.
    await desk.pass(10_000);
    const { text } = await fillIn({ near: 'Paris' });
    expect(text).toMatch(/doomed|application/);
    expect(count()).toBe(before);
  });

  test('names with emoji and right-to-left text can be chosen in a form, and too long a name causes no error', async () => {
    await openFor(RIGHT_TO_LEFT);
    const { publicly } = await fillIn({ version: LONG, near: 'Paris' });
    expect(publicly).toContain(LONG);
    await openFor('long-names');
    expect((await fillIn({ version: 'short', near: 'Paris' })).publicly).toContain('long-names short');
  });

  test('if a person sends the same form twice, the bot carries out the first submission and refuses the second submission', async () => {
    const before = count();
    await openFor('kart-racing');
    await fillIn({ near: 'Paris' });
    const { text } = await fillIn({ near: 'Paris' });
    expect(text).toContain('This form was sent already');
    expect(count()).toBe(before + 1);
  });

  test('if this version of the bot lacks a field of the form, the form is refused, and a new form is offered', async () => {
    const before = count();
    await openFor('kart-racing');
    const form = JSON.parse(JSON.stringify(driver.server.requests.at(-1)?.body));
    expect(form.type).toBe(9);
    const modal = form.data;
    modal.components[0].component.custom_id = 'seed';
    const user = driver.user('operator');
    const { aside } = await effect(async () => {
      const opener = { modal, source: undefined } as StoredInteraction;
      const submitted = driver.server.submit(opener, user, { seed: '7', near: 'Paris' });
      await until(() => submitted.acknowledged !== undefined, 'an answer');
    });
    expect(aside?.text).toContain('the field “seed”, which I no longer know');
    expect(aside?.buttons).toEqual(['Open form']);
    expect(count()).toBe(before);
  });

  test('if Discord no longer knows the interaction, no form opens, nothing is deployed, and the next command works', async () => {
    const before = count();
    const answer = { status: 404, body: { code: 10062, message: 'Unknown interaction' } };
    driver.server.fault({ on: /POST .*callback/, answer, times: 2 });
    const from = desk.stage.bot.log.length;
    driver.server.command(driver.user('operator'), 'deploy', [
      { name: 'application', type: 3, value: 'kart-racing' },
    ]);
    await until(
      () => desk.stage.bot.log.slice(from).join().includes('"outcome":"unanswered"'),
      'the log line',
    );
    expect(count()).toBe(before);
    const { text } = await effect(() => driver.command('operator', 'deploy'));
    expect(text).toContain('Then a form asks for version, city, tags and lifetime.');
  });

  test('hidden variables are entered in a separate form, are sent to Edgegap as hidden, and appear nowhere else', async () => {
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Variables');
    expect(driver.form()).toEqual({ title: 'Variables', fields: ['env', 'hidden'] });
    const shown = await fillIn({ env: 'MODE=race\nMOTD=two words', hidden: `TOKEN="${SECRET}"` });
    expect(shown.text).toMatch(/MODE, MOTD[\s\S]*TOKEN/);
    expect(shown.text).not.toContain('two words');
    await driver.press('operator', 'Variables');
    expect([driver.shown('env'), driver.shown('hidden')]).toEqual([
      'MODE=race\nMOTD=two words',
      `TOKEN=${DOTS}`,
    ]);
    await fillIn({});
    await choose('kart-racing');
    await fillIn({ near: 'Montreal' });
    expect(deployments().at(-1)?.environment).toEqual([
      { key: 'MODE', value: 'race', is_hidden: false },
      { key: 'MOTD', value: 'two words', is_hidden: false },
      { key: 'TOKEN', value: SECRET, is_hidden: true },
    ]);
    expect(await desk.everything()).not.toContain(SECRET);
  });

  test('in a form, a person can remove a hidden variable, replace a second and keep a third', async () => {
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Variables');
    await fillIn({ hidden: `TOKEN=${SECRET}\nOLD=old-secret\nSALT=first` });
    await driver.press('operator', 'Variables');
    expect(driver.shown('hidden')).toBe(`TOKEN=${DOTS}\nOLD=${DOTS}\nSALT=${DOTS}`);
    expect(JSON.stringify(driver.server.requests.at(-1)?.body)).toContain(
      'To remove a variable, delete the line.',
    );
    const shown = await fillIn({ hidden: `TOKEN=${DOTS}\nSALT=second` });
    expect(shown.text).toContain('TOKEN, SALT');
    expect(shown.text).not.toContain('OLD');
    await choose('kart-racing');
    await fillIn({ near: 'Montreal' });
    expect(deployments().at(-1)?.environment).toEqual([
      { key: 'TOKEN', value: SECRET, is_hidden: true },
      { key: 'SALT', value: 'second', is_hidden: true },
    ]);
    expect(await desk.everything()).not.toContain('old-secret');
  });

  test('if the person empties the field of the hidden variables, all hidden variables are removed', async () => {
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Variables');
    await fillIn({ hidden: `TOKEN=${SECRET}` });
    await driver.press('operator', 'Variables');
    const { text } = await fillIn({ hidden: '' });
    expect(text).not.toContain('TOKEN');
    await choose('kart-racing');
    await fillIn({ near: 'Montreal' });
    expect(deployments().at(-1)?.environment).toEqual([]);
  });

  test('if a person renames a hidden variable whose value is shown as dots, the form is refused and nothing is deployed', async () => {
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Variables');
    await fillIn({ hidden: `TOKEN=${SECRET}` });
    await driver.press('operator', 'Variables');
    const { text, aside } = await fillIn({ hidden: `API_KEY=${DOTS}` });
    expect(text).toContain('I do not know the value of API_KEY, for which the dots stand.');
    expect(aside?.buttons).toEqual(['Correct it']);
  });

  test('a wrong entry in the field of hidden variables is shown nowhere, because the entry is possibly the secret itself', async () => {
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Variables');
    const wrong = await fillIn({ hidden: SECRET });
    expect(wrong.text).toContain('Variable 1 of hidden has no equals sign.');
    await driver.press('operator', 'Correct it');
    expect(driver.shown('hidden')).toBe('');
    expect(await desk.everything()).not.toContain(SECRET);
  });

  test('if a hidden variable is wrong, the person can remove it by deleting its line', async () => {
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Variables');
    await fillIn({ env: 'TOKEN=open', hidden: `TOKEN=${SECRET}` });
    await choose('kart-racing');
    const wrong = await fillIn({ near: 'Montreal' });
    expect(wrong.text).toContain('TOKEN is set twice: openly and hidden');
    await driver.press('operator', 'Correct it');
    expect(driver.shown('hidden')).toBe(`TOKEN=${DOTS}`);
    await fillIn({ hidden: '' });
    await driver.press('operator', 'Continue');
    await fillIn({});
    expect(deployments().at(-1)?.environment).toEqual([{ key: 'TOKEN', value: 'open', is_hidden: false }]);
  });

  test('if the application in the form of deploy is wrong, the person chooses a new application from a menu, and the other values stay', async () => {
    const before = count();
    await openFor('fading');
    const index = desk.applications.findIndex(({ name }) => name === 'fading');
    desk.applications[index] = { name: 'fading', is_active: true, versions: [named('v1', false)] };
    // If the list of versions is older than a few seconds, the bot reads the newest version again.
    await desk.pass(10_000);
    const wrong = await fillIn({ near: 'Paris', tag: 'qa' });
    expect(wrong.text).toContain('fading has no active version.');
    await effect(() => driver.press('operator', 'Correct it'));
    await choose('kart-racing');
    expect([driver.shown('near'), driver.shown('tag')]).toEqual(['Paris', 'qa']);
    await fillIn({});
    expect(count()).toBe(before + 1);
  });

  test('if a form field cannot show a value exactly, the value stays as typed unless the person edits the field', async () => {
    const open = async (env: string) => {
      await effect(() => driver.command('operator', 'deploy', { env }));
      await driver.press('operator', 'Variables');
      return driver.shown('env');
    };
    const environment = async () => {
      await fillIn({});
      await choose('kart-racing');
      await fillIn({ near: 'Montreal' });
      return deployments()
        .at(-1)
        ?.environment.map(({ key, value }) => `${key}=${value}`);
    };
    expect(await open(`'MARKS="a b"' 'BLANKS= c '`)).toBe('MARKS=""a b""\nBLANKS=" c "');
    expect(await environment()).toEqual(['MARKS="a b"', 'BLANKS= c ']);
    const long = `LONG=${'x'.repeat(4_090)}`;
    expect(await open(long)).toBe(DOTS);
    expect(JSON.stringify(driver.server.requests.at(-1)?.body)).toContain(
      'To remove the entries, delete the dots',
    );
    expect(await environment()).toEqual([long]);
    expect(await open(long)).toBe(DOTS);
    await fillIn({ env: '' });
    await choose('kart-racing');
    await fillIn({ near: 'Montreal' });
    expect(deployments().at(-1)?.environment).toEqual([]);
    expect(await open(long)).toBe(DOTS);
    await fillIn({ env: 'SHORT=y' });
    await driver.press('operator', 'Variables');
    expect(driver.shown('env')).toBe('SHORT=y');
    expect(await environment()).toEqual(['SHORT=y']);
  });

  test('if a person gives a preset, the form of deploy leaves the fields of the preset empty and says which values apply', async () => {
    await effect(() =>
      driver.command('operator', 'preset save', {
        name: 'racing',
        application: 'kart-racing',
        tag: 'qa',
        for: '2h',
      }),
    );
    await driver.command('operator', 'deploy', { preset: 'racing' });
    expect(driver.form()?.title).toBe('Deploy kart-racing');
    expect([driver.shown('tag'), driver.shown('for')]).toEqual(['', '']);
    const hints = () => JSON.stringify(driver.server.requests.at(-1)?.body);
    expect(hints()).toContain('If you leave this out, the preset “racing” gives qa.');
    expect(hints()).toContain('If you leave this out, the preset “racing” gives 2h.');
    const wrong = await fillIn({ near: 'Nowhere', tag: 'night' });
    expect(wrong.text).toContain('no location “Nowhere”');
    await driver.press('operator', 'Correct it');
    expect([driver.shown('near'), driver.shown('tag'), driver.shown('for')]).toEqual([
      'Nowhere',
      'night',
      '',
    ]);
    expect(hints()).not.toContain('gives qa');
    expect(hints()).toContain('If you leave this out, the preset “racing” gives 2h.');
    await fillIn({ near: 'Paris' });
    const names = deployments()
      .at(-1)
      ?.tags.map(({ name }) => name);
    expect(names).toContain('night');
    expect(names).not.toContain('qa');
  });

  test('if a person chooses a preset in the form, the preset sets the application, and no menu of applications is needed', async () => {
    await effect(() =>
      driver.command('operator', 'preset save', {
        name: 'night-race',
        application: 'kart-racing',
        cpu: 512,
        memory: 1024,
        env: 'ROUND=night',
      }),
    );
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Players and container');
    const { aside, text } = await fillIn({ preset: 'night-race' });
    expect(text).toContain('kart-racing');
    expect(aside?.buttons).toContain('Continue');
    await driver.press('operator', 'Resources');
    const hints = () => JSON.stringify(driver.server.requests.at(-1)?.body);
    expect(hints()).toContain('If you leave this out, the preset “night-race” gives 512.');
    await fillIn({});
    await driver.press('operator', 'Variables');
    expect(hints()).toContain('If you leave this out, the value of the preset “night-race” counts.');
    expect(hints()).not.toContain('ROUND');
    await fillIn({});
    await driver.press('operator', 'Continue');
    expect(driver.form()?.title).toBe('Deploy kart-racing');
    await fillIn({ near: 'Paris' });
    expect(deployments().at(-1)).toMatchObject({ application: 'kart-racing' });
    expect(deployments().at(-1)?.environment).toEqual([{ key: 'ROUND', value: 'night', is_hidden: false }]);
    expect(
      (await driver.offered('operator', 'deploy', 'version', 'v', { preset: 'night-race' })).map(
        ({ value }) => value,
      ),
    ).toEqual(['v1.3', 'v1.2', 'v1.1']);
  });

  test('a mistake in the resources opens the form part with the resources, and Continue leads to the deploy', async () => {
    await effect(() => driver.command('operator', 'deploy'));
    await driver.press('operator', 'Resources');
    await fillIn({ cpu: '512' });
    await choose('kart-racing');
    const wrong = await fillIn({ near: 'Paris' });
    expect(wrong.text).toContain('cpu and memory belong together');
    await driver.press('operator', 'Correct it');
    expect(driver.form()?.title).toBe('Resources');
    const { aside } = await fillIn({ memory: '1024' });
    expect(aside?.buttons).toContain('Continue');
    await driver.press('operator', 'Continue');
    expect(driver.shown('near')).toBe('Paris');
    await fillIn({});
    expect(deployments().at(-1)).toMatchObject({ application: 'kart-racing' });
    expect(
      desk.stage.simulator.requests.findLast(({ endpoint }) => endpoint === 'deploy')?.body,
    ).toMatchObject({
      resources: { cpu_units: 512, memory_mib: 1024 },
    });
  });
});

describe('the form of deploy on Slack', () => {
  let desk: Desk;
  let driver: SlackDriver;
  const effect: Desk['effect'] = (act) => desk.effect(act);
  const deployments = () => desk.deployments();
  const count = () => deployments().length;
  beforeAll(async () => {
    desk = await openDesk('slack-http', { extra });
    driver = desk.stage.driver as SlackDriver;
  });
  afterAll(async () => {
    await desk?.close();
    expect(driver.server.web.refusals).toEqual([]);
  });
  const fillIn = (values: Readonly<Record<string, string>>) =>
    effect(() => driver.fillIn('operator', values));
  const offered = (option: string, typed: string, given = {}) =>
    driver.offered('operator', 'deploy', option, typed, given).then((all) => all.map(({ value }) => value));

  test('/edgegap deploy opens a form in which the list of versions depends on the chosen application', async () => {
    await driver.command('operator', 'deploy');
    expect(driver.form()).toEqual({
      title: 'Deploy a server',
      fields: ['application', 'version', 'near', 'tag', 'for'],
    });
    expect(await offered('application', 'kart')).toEqual(['kart-racing']);
    expect((await offered('version', '', { application: 'nightly' })).at(0)).toBe('build-400');
    expect(await offered('version', '', { application: 'kart-racing' })).toEqual(['v1.3', 'v1.2', 'v1.1']);
    const values = { application: 'kart-racing', version: 'v1.2', near: 'Montreal\nTokyo', tag: 'qa\nnight' };
    const { publicly } = await fillIn(values);
    expect(publicly).toContain('kart-racing v1.2');
    expect(
      desk.stage.simulator.requests.findLast(({ endpoint }) => endpoint === 'deploy')?.body,
    ).toMatchObject({
      users: [{ user_type: 'geo_coordinates' }, { user_type: 'geo_coordinates' }],
    });
    expect(
      deployments()
        .at(-1)
        ?.tags.map(({ name }) => name),
    ).toEqual(expect.arrayContaining(['qa', 'night']));
  });

  test('on Slack, a mistake is shown at its form field, and the corrected form then deploys once', async () => {
    const before = count();
    await driver.command('operator', 'deploy', { application: 'kart-racing' });
    expect(driver.shown('application')).toBe('kart-racing');
    // The person selects a version and then changes the application.
    const stale = { application: 'arena-shooter', version: 'v1.2', near: 'Paris' };
    await driver.fillIn('operator', stale);
    expect(driver.mistakes().version).toContain('arena-shooter has no version “v1.2”');
    await driver.fillIn('operator', { ...stale, version: '2026.2', near: 'Nowhere' });
    expect(driver.mistakes().near).toContain('no location “Nowhere”');
    await driver.fillIn('operator', { application: 'no-active', near: 'Paris', version: '' });
    expect(driver.mistakes().application).toContain('no-active has no active version.');
    expect(count()).toBe(before);
    await fillIn({ ...stale, version: '2026.2' });
    expect(count()).toBe(before + 1);
    await driver.submitAgain('operator');
    await desk.stage.bot.app.settled();
    expect(count()).toBe(before + 1);
  });

  test('the form of deploy keeps values exactly as typed: line breaks, long values and "on" instead of "yes"', async () => {
    const text = 'TEXT=one\nTWO=2';
    const long = `LONG=${'x'.repeat(3_500)}`;
    await driver.slash('operator', `deploy --env "${text}" --env ${long} --cached=on`);
    expect([driver.shown('env'), driver.shown('cached')]).toEqual([DOTS, '']);
    await fillIn({ application: 'kart-racing', near: 'Montreal' });
    const sent = deployments()
      .at(-1)
      ?.environment.map(({ key, value }) => `${key}=${value}`);
    expect(sent).toEqual([text, long]);
    expect(
      desk.stage.simulator.requests.findLast(({ endpoint }) => endpoint === 'deploy')?.body,
    ).toMatchObject({ require_cached_locations: true });
  });

  test('if a person empties a form field, the field stays empty after "More options", even if the preset has a value', async () => {
    await driver.slash('operator', 'deploy --tag qa --for 2h');
    expect(driver.shown('tag')).toBe('qa');
    await driver.more('operator', { for: '3h' });
    expect([driver.shown('tag'), driver.shown('for')]).toEqual(['', '3h']);
    await effect(() => driver.slash('operator', 'preset save tagged --tag qa'));
    await driver.slash('operator', 'deploy @tagged');
    expect([driver.shown('preset'), driver.shown('tag')]).toEqual(['@tagged', '']);
    const gives = () => JSON.stringify(driver.server.web.views.open.at(-1));
    expect(gives()).toContain('If you leave this out, the preset “tagged” gives qa.');
  });

  test('on Slack, a chosen preset does not fill in the form fields, and small print below them shows the values of the preset', async () => {
    await effect(() => driver.slash('operator', 'preset save race kart-racing --tag qa --for 2h'));
    await driver.slash('operator', 'deploy @race');
    const view = () => JSON.stringify(driver.server.web.views.open.at(-1));
    const hint = 'If you leave this out, the preset “race” gives ';
    expect([driver.shown('preset'), driver.shown('application')]).toEqual(['@race', '']);
    for (const value of ['kart-racing', 'qa', '2h']) expect(view()).toContain(`${hint}${value}.`);
    expect(await offered('version', '', { preset: '@race' })).toEqual(['v1.3', 'v1.2', 'v1.1']);
    expect(await offered('version', '', { preset: '@race', application: 'arena-shooter' })).not.toContain(
      'v1.3',
    );
    // Once the preset is removed, its application is not used, so the form lacks an application.
    await driver.fillIn('operator', { preset: '', near: 'Paris' });
    expect(driver.mistakes().application).toContain('deploy needs an application');
    await fillIn({ near: 'Paris' });
    expect(deployments().at(-1)).toMatchObject({ application: 'kart-racing' });
  });

  test('on Slack, small print about a preset from the part "More options" still appears after "Correct it"', async () => {
    await effect(() => driver.slash('operator', 'preset save short --tag qa --application kart-racing'));
    await driver.command('operator', 'deploy');
    await driver.more('operator');
    const view = () => JSON.stringify(driver.server.web.views.open.at(-1));
    const hint = 'If you leave this out, the preset “short” gives ';
    const ip = '198.51.100.7';
    const wrong = await fillIn({ preset: 'short', near: 'Paris', command: '/bin/server', ip });
    expect(wrong.aside?.buttons).toContain('Correct it');
    await driver.press('operator', 'Correct it');
    expect(view()).toContain(`${hint}qa.`);
    expect(view()).toContain(`${hint}kart-racing.`);
  });

  test('if the text in a Slack form matches no value, the form offers the text as typed and refuses the submission at this field', async () => {
    await driver.command('operator', 'deploy');
    expect(await offered('application', 'zzz')).toEqual(['zzz']);
    expect(await offered('near', '45.50,-73.57')).toEqual(['45.50,-73.57']);
    await driver.fillIn('operator', { application: 'zzz', near: 'Paris' });
    expect(driver.mistakes().application).toMatch(/no application “zzz”.*kart-racing/);
  });

  test('the button "More options" keeps the entered values, and hidden variables appear nowhere', async () => {
    await driver.command('operator', 'deploy');
    const entries = { application: 'kart-racing', near: 'Montreal' };
    await driver.more('operator', entries);
    expect(driver.form()?.fields).toHaveLength(17);
    expect(driver.shown('application')).toBe('kart-racing');
    const hidden = `TOKEN=${SECRET}`;
    await driver.fillIn('operator', { ...entries, env: 'TOKEN=open', hidden });
    expect(driver.mistakes()).toEqual({
      hidden: 'The variable TOKEN is set twice: openly and hidden. Give each variable once.',
    });
    await fillIn({ ...entries, env: 'MODE=race', hidden });
    expect(deployments().at(-1)?.environment).toEqual([
      { key: 'MODE', value: 'race', is_hidden: false },
      { key: 'TOKEN', value: SECRET, is_hidden: true },
    ]);
    expect(await desk.everything()).not.toContain(SECRET);
  });

  test('if a person types a hidden variable in the channel, it is refused, and the refusal does not repeat the value', async () => {
    const { text } = await effect(() =>
      driver.slash('operator', `deploy kart-racing --near Paris --hidden "TOKEN=${SECRET}"`),
    );
    expect(text).toContain('hidden cannot be typed here');
    expect(text).toContain('/edgegap deploy');
    expect(text).toContain('without any options');
    expect(await desk.everything()).not.toContain(SECRET);
  });

  test('if Slack is slow to report the rights of a person, the bot opens an empty form in time and adds the fields later', async () => {
    const views = driver.server.web.views;
    const before = views.changes;
    // The bot has not read the facts about this person from Slack before.
    await driver.regroup('reader', ['operators']);
    driver.server.faults.inject('users.info', { kind: 'slow', ms: 100 });
    driver.server.faults.inject('usergroups.list', { kind: 'slow', ms: 100 });
    desk.speed(20);
    await driver.slash('reader', 'deploy');
    await until(() => views.changes === before + 2, 'the fields of the form');
    desk.speed(1);
    const calls = driver.server.requests
      .map(({ method }) => method)
      .filter((method) => method.startsWith('views.'));
    expect(calls.slice(-2)).toEqual(['views.open', 'views.update']);
    expect(driver.form()?.fields).toContain('application');
  });

  test('if Slack reports that the person may not deploy, the empty form says that no fields follow', async () => {
    const views = driver.server.web.views;
    const before = views.changes;
    driver.server.faults.inject('users.info', { kind: 'slow', ms: 100 });
    driver.server.faults.inject('usergroups.list', { kind: 'slow', ms: 100 });
    desk.speed(20);
    const { privately } = await effectOf(desk.stage, 'member', () => driver.slash('member', 'deploy'));
    await until(() => views.changes === before + 2, 'the notice');
    desk.speed(1);
    expect(privately.at(-1)?.text).toContain('You may not');
    expect(JSON.stringify(views.open.at(-1))).toContain('I could not get the form ready.');
    expect(driver.form()?.fields).toEqual([]);
  });
});

describe('hidden variables while a deploy waits for a confirmation', () => {
  test('while a deploy waits for a confirmation, the values of its hidden variables are stored only encrypted', async () => {
    const desk = await openDesk('slack-http', { environment: { CONFIRM_DEPLOY: 'always' } });
    const driver = desk.stage.driver as SlackDriver;
    const { effect, deployments } = desk;
    try {
      await driver.command('operator', 'deploy');
      await driver.more('operator');
      const values = { application: 'kart-racing', near: 'Montreal', hidden: `TOKEN=${SECRET}` };
      const asked = await effect(() => driver.fillIn('operator', values));
      expect(asked.text).toContain('TOKEN');
      expect(await desk.everything()).not.toContain(SECRET);
      await effect(() => driver.press('operator', 'Deploy'));
      expect(deployments()[0]?.environment).toEqual([{ key: 'TOKEN', value: SECRET, is_hidden: true }]);
      expect(await desk.everything()).not.toContain(SECRET);
    } finally {
      await desk.close();
    }
  });
});
