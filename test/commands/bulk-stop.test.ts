import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  AT_ONCE,
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  pressAction,
  type Stage,
  stageOn,
} from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Persona, Values, VisibleMessage } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(async () => {
  await stage?.close();
  stage = undefined as unknown as Stage;
});

const textOf = (messages: readonly VisibleMessage[]) => messages.map(({ text }) => text).join('\n');
const bulkStop = (values: Values = {}) =>
  effectOf(stage, 'operator', () => stage.driver.command('operator', 'bulk-stop', values));
const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));
const channel = async (text: string | RegExp) =>
  await until(
    async () => (await stage.driver.channel()).find((one) => one.text.match(text)),
    `a message with ${text}`,
  );
/** The request_ids of each request to stop many deployments. */
const stopped = () => stopsOf(stage);
const stopsOf = ({ simulator }: Stage) =>
  simulator.requests
    .filter(({ endpoint }) => endpoint === 'stopMany')
    .map(({ body }) => (body as { filters: { values: string[] }[] }).filters.flatMap(({ values }) => values));

describe.each(driverNames)('bulk-stop on %s', (name) => {
  test('after the person has confirmed the number of servers, "bulk-stop" stops exactly the deployments of the plan', async () => {
    stage = await stageOn(name);
    const ours = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
    const other = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
    const kept = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const asked = await bulkStop({ tag: 'qa' });
    expect(asked.publicly).toEqual([]);
    const plan = textOf(asked.privately);
    expect(plan).toContain('Stop 2 servers?');
    expect(plan).toContain('tag qa');
    for (const id of [ours, other]) expect(plan).toContain(id);
    expect(plan).not.toContain(kept);
    const late = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
    stage.speed(20);
    await stage.driver.press('operator', 'Stop 2 servers');
    const card = await channel('Stopped 2 servers');
    expect(card.text).toContain('tag qa');
    for (const id of [ours, other]) expect(card.text).toMatch(new RegExp(`kart-racing v1\\\\?\\.2\\W+${id}`));
    expect(card.buttons).toEqual([]);
    await until(() => phase(stage.simulator, other) === 'TERMINATED', 'the end');
    expect(stopped().map((ids) => ids.toSorted())).toEqual([[ours, other].toSorted()]);
    for (const id of [kept, late]) expect(phase(stage.simulator, id)).toBe('READY');
    await channel('Stopped');
    await stage.bot.app.settled();
    expect(textOf(await stage.driver.channel())).not.toMatch(/asked to stop| terminated/);
    expect(stopped()).toHaveLength(1);
    const questions = await stage.driver.privately('operator');
    expect(textOf(questions)).toMatch(/^\W*Confirmed\W+The card in the channel shows the progress\.\W*$/);
    expect(questions.flatMap(({ buttons }) => buttons)).toEqual([]);
  });
});

describe('the filters of bulk-stop', () => {
  let shared: Stage;
  /**
   * The request_ids of three servers: the operator's server in Montreal, the reader's server in Tokyo, and a server
   * made outside the chat.
   */
  let montreal = '';
  let tokyo = '';
  let foreign = '';
  beforeAll(async () => {
    shared = await stageOn('slack-http');
    const { driver, simulator } = shared;
    montreal = await deployReady(shared, 'kart-racing', 'v1.2', 'qa');
    await driver.regroup('reader', ['operators']);
    const values = { application: 'arena-shooter', version: '2026.2', near: 'Tokyo', tag: 'Cup' };
    await driver.command('reader', 'deploy', values);
    tokyo = await until(() => [...simulator.deployments.keys()][1], 'the second deployment');
    await until(() => phase(simulator, tokyo) === 'READY', 'the second server');
    foreign = await deployElsewhere(simulator, 'lobby-chat', 'stable');
    await shared.bot.app.settled();
  });
  afterAll(() => shared?.close());
  const ask = async (values: Values, persona: Persona = 'operator') => {
    const from = shared.simulator.requests.length;
    await shared.driver.command(persona, 'bulk-stop', values);
    await shared.bot.app.settled();
    const text = (await shared.driver.privately(persona)).at(-1)?.text ?? '';
    const asked = shared.simulator.requests.slice(from).map(({ endpoint }) => endpoint);
    return { text, asked };
  };
  const planned = async (values: Values, persona: Persona = 'operator') => {
    const { text } = await ask(values, persona);
    expect(text).toMatch(/Stop \d servers?\?/);
    return Object.entries({ montreal, tokyo, foreign }).flatMap(([name, id]) =>
      text.includes(id) ? name : [],
    );
  };

  test('each filter of "bulk-stop", and all filters together, find exactly the matching deployments', async () => {
    expect(await planned({ application: 'lobby-chat' })).toEqual(['foreign']);
    expect(await planned({ version: 'V1.2' })).toEqual(['montreal']);
    expect(await planned({ tag: 'cup' })).toEqual(['tokyo']);
    expect(await planned({ city: 'Tokyo' })).toEqual(['tokyo']);
    expect(await planned({ city: 'montreal' })).toEqual(['montreal', 'foreign']);
    expect(await planned({ mine: true })).toEqual(['montreal']);
    expect(await planned({ mine: true }, 'reader')).toEqual(['tokyo']);
    expect(await planned({ by: 'reader' })).toEqual(['tokyo']);
    expect(await planned({ by: '@Reader' })).toEqual(['tokyo']);
    const id = (shared.driver as SlackDriver).userIds.reader;
    expect(await planned({ by: `@${id}` })).toEqual(['tokyo']);
    expect(
      await planned({ application: 'kart-racing', city: 'Montreal', status: 'ready', tag: 'qa' }),
    ).toEqual(['montreal']);
    expect(await planned({ all: true })).toEqual(['montreal', 'tokyo', 'foreign']);
  });

  test('"bulk-stop" refuses a filter that matches no deployment or that contains an unknown name', async () => {
    const empty: [Values, RegExp][] = [
      [{ tag: 'nope' }, /No running server matches: tag nope\.[\s\S]*only with --status error/],
      [{ 'older-than': '2h' }, /No running server matches: older than 2 h\./],
      [{ city: 'Tokyo', tag: 'qa' }, /No running server matches: tag qa, city Tokyo[^.]*\./],
      [{ mine: true, tag: 'cup' }, /No running server matches: tag Cup, deployed by operator\./],
      [{ status: 'error' }, /No server matches: status error\.(?![\s\S]*only with)/],
    ];
    for (const [values, refusal] of empty) {
      const { text } = await ask(values);
      expect(text).toMatch(refusal);
      expect(text).toContain('Nothing was changed');
    }
    expect((await ask({ by: 'nobody' })).text).toMatch(
      /was deployed from chat by “nobody”\.[\s\S]*Nothing was stopped\.[\s\S]*deployed by: (operator, reader|reader, operator)\./,
    );
    expect((await ask({ application: 'no-such' })).text).toContain('There is no application');
    expect((await ask({ city: 'Atlantis' })).text).toContain('Edgegap has no location');
    expect(stopsOf(shared)).toEqual([]);
  });

  test('without a filter, "bulk-stop" opens a form, which needs a filter or the option all', async () => {
    const { fillIn, form } = shared.driver as SlackDriver;
    const bare = await ask({});
    expect(bare.asked).toEqual([]);
    expect(form()?.title).toBe('Stop many servers');
    const empty = await effectOf(shared, 'operator', () => fillIn('operator', {}));
    expect(textOf(empty.privately)).toMatch(
      /would stop everything that runs[\s\S]*Nothing was stopped[\s\S]*a filter, such as the option tag or older-than\.[\s\S]*--all/,
    );
    expect(stopsOf(shared)).toEqual([]);
  });

  test('if the filter matches every deployment, "bulk-stop" needs the option --all', async () => {
    const everything = await ask({ status: 'ready' });
    expect(everything.text).toMatch(/matches everything that runs: 3 servers[\s\S]*Nothing was stopped/);
    expect(everything.text).toContain('such as the option tag or older-than.');
    expect(stopsOf(shared)).toEqual([]);
  });

  test('only the person who requested a plan of "bulk-stop" can confirm or cancel the plan', async () => {
    await ask({ tag: 'qa' });
    const messages = await shared.driver.privately('operator');
    expect(messages.at(-1)?.buttons).toEqual(['Stop 1 server', 'Cancel']);
    const sent = JSON.stringify((shared.driver as SlackDriver).server.web.changes);
    const arg = [...sent.matchAll(/bulk-stop:confirm:([\w-]+)/g)].at(-1)?.[1] ?? '';
    for (const action of ['confirm', 'cancel']) {
      const press = () => pressAction(shared, 'reader', { command: 'bulk-stop', action, arg });
      const { publicly, privately } = await effectOf(shared, 'reader', press);
      expect(publicly).toEqual([]);
      expect(textOf(privately)).toContain('answered already');
    }
    expect(stopsOf(shared)).toEqual([]);
  });

  test('a cancelled plan of "bulk-stop" stops nothing, even if the person then tries to confirm the plan', async () => {
    await ask({ tag: 'qa' });
    await shared.driver.press('operator', 'Cancel');
    await until(
      async () =>
        (await shared.driver.privately('operator')).some(({ text }) => text.includes('Nothing was stopped')),
      'the answer',
    );
    expect(stopsOf(shared)).toEqual([]);
  });
});

test('the option --by of "bulk-stop" accepts the exact name of a person, and refuses a name that fits several people', async () => {
  stage = await stageOn('slack-http');
  const { driver, simulator } = stage;
  const { server, userIds } = driver as SlackDriver;
  server.world.facts.set(userIds.reader, { profile: { display_name: 'Operator' } });
  await driver.regroup('reader', ['operators']);
  const first = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
  await driver.command('reader', 'deploy', { application: 'kart-racing', version: 'v1.2', near: 'Tokyo' });
  const second = await until(() => [...simulator.deployments.keys()][1], 'the second deployment');
  await until(() => phase(simulator, second) === 'READY', 'the second server');
  await deployElsewhere(simulator, 'lobby-chat', 'stable');
  const plan = async (by: string) => textOf((await bulkStop({ by })).privately);
  for (const [by, id, other] of [
    ['operator', first, second],
    ['Operator', second, first],
    [userIds.reader, second, first],
  ] as const) {
    const text = await plan(by);
    expect(text).toContain('Stop 1 server?');
    expect(text).toContain(id);
    expect(text).not.toContain(other);
    expect(text).toContain(`deployed by ${id === first ? 'operator' : 'Operator'}`);
  }
  const refusal = await plan('OPERATOR');
  expect(refusal).toContain('Several people could be meant by “OPERATOR”');
  for (const named of [`${userIds.operator} (operator)`, `${userIds.reader} (Operator)`])
    expect(refusal).toContain(named);
  expect(refusal).not.toContain('Stop 2 servers');
});

test('after the confirmation, a plan of "bulk-stop" can be neither cancelled nor confirmed again', async () => {
  stage = await stageOn('slack-http');
  await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
  await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
  await bulkStop({ tag: 'qa' });
  const sent = JSON.stringify((stage.driver as SlackDriver).server.web.changes);
  const arg = /bulk-stop:confirm:([\w-]+)/.exec(sent)?.[1] ?? '';
  await stage.driver.press('operator', 'Stop 1 server');
  await channel('Stopped 1 server');
  for (const action of ['confirm', 'cancel']) {
    const late = () => pressAction(stage, 'operator', { command: 'bulk-stop', action, arg });
    const { publicly, privately } = await effectOf(stage, 'operator', late);
    expect(publicly).toEqual([]);
    expect(textOf(privately)).toMatch(/answered already[\s\S]*A confirmed plan is carried out/);
    expect(textOf(privately)).not.toMatch(/Nothing (more )?was/);
  }
  expect(stopped()).toHaveLength(1);
});

test('if every matching deployment is already being stopped, "bulk-stop" says so', async () => {
  const durations = { ...AT_ONCE.durations, terminating: 60_000 };
  stage = await stageOn('console', { simulator: { durations } });
  const id = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
  await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
  await effectOf(stage, 'operator', () => stage.driver.command('operator', 'stop', { deployment: id }));
  await press('Stop it');
  const refusal = textOf((await bulkStop({ tag: 'qa' })).privately);
  expect(refusal).toContain('Every server that matches (1) is being stopped already: tag qa.');
});

test('a plan of "bulk-stop" that is confirmed after more than 15 minutes stops nothing', async () => {
  const clock = pacedClock(1);
  stage = await stageOn('console', { clock });
  await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
  await bulkStop({ tag: 'qa' });
  const end = clock.now() + 15 * 60_000 + 1_000;
  clock.speed(10_000);
  await until(() => clock.now() > end, 'the time to pass');
  clock.speed(1);
  const { publicly, privately } = await press('Stop 1 server');
  expect(publicly).toEqual([]);
  expect(textOf(privately)).toMatch(/more than 15 minutes ago[\s\S]*Nothing was done/);
  expect(stopped()).toEqual([]);
});

test('the result of "bulk-stop --all" says that all servers were chosen, and a file lists the stopped servers', async () => {
  stage = await stageOn('discord');
  const ids: string[] = [];
  for (let n = 0; n < 11; n++) ids.push(await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2'));
  const plan = textOf((await bulkStop({ all: true })).privately);
  expect(plan).toMatch(/Filter\W+everything/);
  await stage.driver.press('operator', 'Stop 11 servers');
  const card = await channel('Stopped 11 servers');
  expect(card.text).toMatch(/Filter\W+everything/);
  expect(card.text).toContain('bulk-stop-result.txt names every server');
  const [file] = card.files;
  expect(file?.name).toBe('bulk-stop-result.txt');
  expect(file?.content).toMatch(/^request_id\tapplication\tresult\treason\n/);
  for (const id of ids) expect(file?.content).toContain(`${id}\tkart-racing v1.2\tdone\t`);
});

test.each(['discord', 'slack-http'] as const)(
  'on %s, a long plan of "bulk-stop" comes as a file, and the bot says once that it is checking many servers',
  async (name) => {
    stage = await stageOn(name);
    const ids: string[] = [];
    for (let n = 0; n < 25; n++)
      ids.push(await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']));
    await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const people = stage.simulator.requests.length;
    await stage.driver.command('operator', 'bulk-stop', { tag: 'qa' });
    await stage.bot.app.settled();
    const messages = await stage.driver.privately('operator');
    const plan = messages.at(-1);
    expect(plan?.text).toContain('Stop 25 servers?');
    expect(plan?.text).toContain('10 of 25 are shown');
    const [file] = messages.flatMap(({ files }) => files);
    expect(file?.name).toBe('bulk-stop.txt');
    for (const id of ids) expect(file?.content).toContain(`${id}\tkart-racing v1.2\tReady`);
    expect(
      stage.simulator.requests.slice(people).filter(({ endpoint }) => endpoint === 'status'),
    ).toHaveLength(25);
    // On Discord, the plan replaces the progress message. On Slack this is impossible, so the progress message stays
    // above the plan.
    const progress = messages.filter(({ text }) => text.includes('servers that were not deployed from chat'));
    if (name === 'discord') expect([progress.length, plan?.edits]).toEqual([0, 1]);
    else expect(textOf(progress)).toMatch(/^\W*I look at 25 servers[^\n]*$/);
  },
);

test('if the filter of "bulk-stop" matches every running server, the refusal advises only filters that are not used yet', async () => {
  stage = await stageOn('discord');
  for (let n = 0; n < 2; n++) await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
  const refusal = async (values: Values) => textOf((await bulkStop(values)).privately);
  const byTag = await refusal({ tag: 'qa' });
  expect(byTag).toContain('Add another filter, such as the option older-than or application');
  expect(byTag).toContain('`all: True`');
  const all = { tag: 'qa', application: 'kart-racing', city: 'Montreal' };
  expect(await refusal(all)).toContain('Add another filter, such as the option older-than.');
});

test('with APP_ALLOWLIST, a plan of "bulk-stop" holds only deployments of allowed applications', async () => {
  stage = await stageOn('slack-http', { environment: { APP_ALLOWLIST: 'lobby-chat' } });
  const hidden = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
  const allowed = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['qa']);
  const plan = textOf((await bulkStop({ tag: 'qa' })).privately);
  expect(plan).toContain('Stop 1 server?');
  expect(plan).toContain(allowed);
  expect(plan).not.toContain(hidden);
  expect(textOf((await bulkStop({ application: 'kart-racing' })).privately)).toContain(
    'There is no application',
  );
});
