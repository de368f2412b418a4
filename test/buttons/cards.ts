import { deployElsewhere, type Stage } from '../command/harness.ts';
import type { FormHands, Values } from '../support/chat-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { turn, until } from '../support/test-clock.ts';
import { type Control, controlsOf, nameOf, press } from './controls.ts';
import type { House } from './house.ts';

/** A message of the bot with buttons, and the server that the message is about. */
export interface Made {
  readonly message: string;
  readonly server?: string;
}

type OfServer = Made & { readonly server: string };

type Make = (house: House) => Promise<Made>;

let count = 0;

/** A name that the tests use only once. */
const fresh = (what: string) => `${what}-${++count}`;

/**
 * Does the act. Resolves with the message on which a new control with this name then appears, for example
 * `stop:confirm`.
 */
async function appears(
  stage: House,
  name: string,
  act: () => Promise<unknown>,
  isMeant: (control: Control) => boolean = () => true,
  speed = 20,
): Promise<string> {
  const keyOf = ({ message, id, value = '' }: Control) => [message, id, value].join(' ');
  const before = new Set((await controlsOf(stage, 'operator')).map(keyOf));
  await act();
  stage.speed(speed);
  const isNew = (one: Control) => nameOf(one) === name && !before.has(keyOf(one)) && isMeant(one);
  const found = async () => (await controlsOf(stage, 'operator')).findLast(isNew);
  const { message } = await until(found, `a message with ${name}`);
  await stage.bot.app.settled();
  stage.speed(1);
  return message;
}

/** The control with this name on the message. If possible, the control for the server of the message. */
export async function controlOn(house: House, made: Made, name: string): Promise<Control> {
  const { message, server = '' } = made;
  const all = await controlsOf(house, 'operator');
  const found = all.filter((one) => one.message === message && nameOf(one) === name);
  const isAbout = ({ value, action }: Control) => server !== '' && (value ?? action.arg).includes(server);
  return found.find(isAbout) ?? (await control(house, made, name));
}

/** The control with this name on the message. */
async function control(stage: Stage, { message }: Made, name: string, value?: string): Promise<Control> {
  const all = await controlsOf(stage, 'operator');
  const found = all.find(
    (one) => one.message === message && nameOf(one) === name && (value === undefined || one.value === value),
  );
  if (!found) throw new Error(`The message has no ${name}`);
  return found;
}

/** Presses the control with this name on the message. Resolves with the message that then has the control `next`. */
async function onward(house: House, made: Made, name: string, next: string, value?: string): Promise<Made> {
  const pressed = await control(house, made, name, value);
  return { ...made, message: await appears(house, next, () => press(house, 'operator', pressed)) };
}

const say = (stage: Stage, name: string, values: Values = {}) =>
  stage.driver.command('operator', name, values);

async function answered(house: House, name: string, values: Values, action: string): Promise<Made> {
  return { message: await appears(house, action, () => say(house, name, values)) };
}

/** Deploys a server. Resolves when the live card of the server has the control `shows`. */
async function deployed(house: House, values: Values = {}, shows = 'logs:show'): Promise<OfServer> {
  const had = new Set(house.simulator.deployments.keys());
  const order = { application: 'lobby-chat', version: 'stable', near: 'Montreal', ...values };
  const message = await appears(house, shows, () => say(house, 'deploy', order));
  const server = [...house.simulator.deployments.keys()].find((id) => !had.has(id));
  if (server === undefined) throw new Error('There is no server');
  return { message, server };
}

/** Waits until the message no longer has a control with this name. */
async function vanishes(house: House, { message }: Made, name: string): Promise<void> {
  house.speed(20);
  const isThere = (one: Control) => one.message === message && nameOf(one) === name;
  const isGone = async () => !(await controlsOf(house, 'operator')).some(isThere);
  await until(isGone, `the message without ${name}`);
  await house.bot.app.settled();
  house.speed(1);
}

async function terminated(house: House): Promise<OfServer> {
  const made = await deployed(house);
  house.simulator.terminate(made.server);
  await vanishes(house, made, 'stop:ask');
  return made;
}

async function failed(house: House): Promise<OfServer & { readonly report: string }> {
  const made = await deployed(house);
  const report = await appears(
    house,
    'deploy:again',
    async () => house.simulator.fail(made.server, 'No edge server has room for this deployment'),
    ({ message }) => message !== made.message,
  );
  await vanishes(house, made, 'tags:show');
  return { ...made, report };
}

async function lost(house: House): Promise<Made> {
  house.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'before' });
  const order = { application: 'lobby-chat', version: 'stable', near: 'Montreal' };
  const ask = () => say(house, 'deploy', order);
  const message = await appears(house, 'deploy:again', ask, undefined, 150);
  return { message };
}

/** Lets time pass, while requests take almost no time. */
export async function pass(house: House, ms: number): Promise<void> {
  const STEP_MS = 30_000;
  for (let left = ms; left > 0; left -= STEP_MS) {
    house.clock.leap(Math.min(left, STEP_MS));
    await turn(20);
    await house.bot.app.settled();
  }
}

async function elsewhere(house: House, tag = fresh('tag')): Promise<{ server: string; tag: string }> {
  return { server: await deployElsewhere(house.simulator, 'lobby-chat', 'stable', [tag]), tag };
}

async function logsAnswer(house: House): Promise<Made> {
  const { server } = await deployed(house);
  house.simulator.print(server, 'the server says hello');
  return { server, ...(await answered(house, 'logs', { deployment: server }, 'logs:share')) };
}

async function stopQuestion(house: House): Promise<Made> {
  return await onward(house, await deployed(house), 'stop:ask', 'stop:confirm');
}

async function stopLaterQuestion(house: House): Promise<Made> {
  const { server } = await deployed(house);
  return { server, ...(await answered(house, 'stop', { deployment: server, in: '3h' }, 'stop:confirm')) };
}

async function lifetimeQuestion(house: House): Promise<Made> {
  const { server } = await deployed(house, { for: '2h' });
  return { server, message: await appears(house, 'deploy:keep', () => pass(house, 110.5 * 60_000)) };
}

async function orphanAnswer(house: House): Promise<Made> {
  const { server } = await elsewhere(house);
  const list = await answered(house, 'orphans', {}, 'orphans:open');
  return { ...(await onward(house, list, 'orphans:open', 'orphans:adopt', server)), server };
}

async function bulkPlan(house: House): Promise<OfServer> {
  const { server, tag } = await elsewhere(house);
  return { server, ...(await answered(house, 'bulk-stop', { tag }, 'bulk-stop:confirm')) };
}

async function bulkResult(house: House): Promise<Made> {
  const made = await bulkPlan(house);
  house.simulator.faults.next(
    { endpoint: 'stopMany' },
    { kind: 'not-processable', request_ids: [made.server] },
    5,
  );
  return await onward(house, made, 'bulk-stop:confirm', 'bulk-stop:again');
}

async function tagPlan(house: House): Promise<OfServer> {
  const { server, tag } = await elsewhere(house);
  return { server, ...(await answered(house, 'tags add', { tag: 'final', of: tag }, 'tags:confirm')) };
}

async function tagResult(house: House): Promise<Made> {
  const made = await tagPlan(house);
  const request = { endpoint: 'addTag', request_id: made.server } as const;
  house.simulator.faults.next(request, { kind: 'server-error', when: 'before' });
  return await onward(house, made, 'tags:confirm', 'tags:again');
}

/**
 * The Home tab of a person with three servers: a server that ends soon, a failed server, and a failed server that has
 * ended.
 */
async function home(house: House): Promise<Made> {
  await deployed(house, { for: '20m' });
  await failed(house);
  const over = await failed(house);
  house.simulator.terminate(over.server);
  await vanishes(house, over, 'stop:ask');
  return await answered(house, 'home', {}, 'home:refresh');
}

/** The message about an error that the person can correct in a form. */
async function mistake(house: House): Promise<Made> {
  const message = await appears(house, 'stop:form', async () => {
    if (house.driver.platform === 'slack')
      return await (house.driver as SlackDriver).mention('operator', 'stop');
    await say(house, 'stop');
    await (house.driver as unknown as FormHands).fillIn('operator', { deployment: '!' });
  });
  return { message };
}

async function presets(house: House): Promise<Made> {
  for (let nth = 0; nth < 16; nth++)
    await say(house, 'preset save', { name: fresh('preset'), application: 'lobby-chat', near: 'Montreal' });
  await house.bot.app.settled();
  return await answered(house, 'preset list', {}, 'preset:page');
}

/** For each kind of message with buttons or menus, the function that makes the bot send the message. */
export const cards = {
  // These messages appear only after some time.
  'the live card of a deploy with an unknown outcome': lost,
  'the question before the end of a lifetime': lifetimeQuestion,
  'the live card of a ready server': deployed,
  'the live card of a failed server': failed,
  'the live card of an ended server': terminated,
  'a crash report': async (house) => {
    const { server, report } = await failed(house);
    return { server, message: report };
  },
  'an answer of status': async (house) => {
    const { server } = await deployed(house);
    return { server, ...(await answered(house, 'status', { deployment: server }, 'status:refresh')) };
  },
  'an answer of logs': logsAnswer,
  'the card of a followed log': async (house) =>
    onward(house, await logsAnswer(house), 'logs:follow', 'logs:unfollow'),
  'a chart of metrics': async (house) => {
    const { server } = await deployed(house);
    return { server, ...(await answered(house, 'metrics', { deployment: server }, 'metrics:window')) };
  },
  'the question before a stop': stopQuestion,
  'the question before a planned stop': stopLaterQuestion,
  'the card of a planned stop': async (house) =>
    onward(house, await stopLaterQuestion(house), 'stop:confirm', 'stop:revoke'),
  'the question before a deploy': async (house) =>
    onward(house, await terminated(house), 'deploy:again', 'deploy:confirm'),
  'the menu of other cities': async (house) =>
    onward(house, await failed(house), 'deploy:elsewhere', 'deploy:again'),
  'the plan of a bulk-stop': bulkPlan,
  'the result of a bulk-stop': bulkResult,
  'the plan of new tags': tagPlan,
  'the result of new tags': tagResult,
  'the list of servers': async (house) => {
    const { server } = await deployed(house);
    return { server, ...(await answered(house, 'list', {}, 'list:page')) };
  },
  'the list of orphans': async (house) => {
    const { server } = await elsewhere(house);
    return { server, ...(await answered(house, 'orphans', {}, 'orphans:page')) };
  },
  'an orphan': orphanAnswer,
  'the list of versions': (house) =>
    answered(house, 'versions', { application: 'arena-shooter' }, 'versions:page'),
  'the list of cities': (house) => answered(house, 'locations', {}, 'locations:page'),
  'the list of hosts': (house) => answered(house, 'hosts', { fleet: 'big' }, 'hosts:page'),
  'the list of presets': presets,
  'the home of a person': home,
  'the topics of help': (house) => answered(house, 'help', {}, 'help:topic'),
  'the menu': (house) => answered(house, 'menu', {}, 'list:call'),
  'an error that a form can mend': mistake,
  'the question before the bot stops': (house) => answered(house, 'self-stop', {}, 'self-stop:confirm'),
} as const satisfies Readonly<Record<string, Make>>;

export type CardName = keyof typeof cards;
