import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeActionId } from '../../src/chat/action-id.ts';
import type { ActionRef } from '../../src/chat/card.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import { type Bot, type BotOptions, createDriver, type DriverName, startBot } from '../support/bot.ts';
import type { ChatDriver, Persona, VisibleMessage } from '../support/chat-driver.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

/** Each phase of the simulator ends as soon as possible. */
export const AT_ONCE: Partial<SimulatorOptions> = {
  durations: {
    initializing: 0,
    seeking: 0,
    seeked: 0,
    scanning: 0,
    deploying: 0,
    terminating: 0,
    callbackDelay: 0,
  },
  limits: {
    deploy: Number.POSITIVE_INFINITY,
    status: Number.POSITIVE_INFINITY,
    list: Number.POSITIVE_INFINITY,
    hosts: Number.POSITIVE_INFINITY,
  },
};

/** A bot on a platform, and the means to see the bot's effects. */
export interface Stage {
  readonly name: DriverName;
  readonly driver: ChatDriver;
  bot: Bot;
  readonly simulator: Simulator;
  /** From now on, the bot's time runs this many times as fast as the machine's time. */
  readonly speed: (factor: number) => void;
  /** The messages of the channel when they were last read. */
  channel?: { readonly version: number; readonly messages: readonly VisibleMessage[] };
  close(): Promise<void>;
}

/** The effects of what a person has done. */
export interface Effect {
  /** The new or changed messages that only this person sees. */
  readonly privately: readonly VisibleMessage[];
  /** The new or changed messages in the channel. */
  readonly publicly: readonly VisibleMessage[];
  /** The requests that the bot made to Edgegap, such as `GET status`. */
  readonly asked: readonly string[];
}

/** While a person waits for an answer, time runs at its usual speed, so that the answer is not too late. */
export async function stageOn(name: DriverName, options: BotOptions = {}): Promise<Stage> {
  const paced = pacedClock(1);
  const clock = options.clock ?? paced;
  const driver = await createDriver(name, clock);
  const bot = await startBot(driver, {
    clock,
    ...options,
    simulator: { ...AT_ONCE, ...options.simulator },
  });
  const stage: Stage = {
    name,
    driver,
    bot,
    simulator: bot.simulator,
    speed: paced.speed,
    async close() {
      await stage.bot.stop();
      await driver.close();
    },
  };
  // If Edgegap has faults, the bot may take long to read the lists.
  if (options.simulator?.faults) await until(() => bot.simulator.requests.length >= 2, 'the catalogue');
  else await bot.app.warmed();
  return stage;
}

/** A stage whose bot stores its data in the file `database`, so that a second bot can use the file later. */
export async function stageOnDisk(name: DriverName): Promise<Stage & { readonly database: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  const database = join(folder, 'bot.db');
  const stage = await stageOn(name, { environment: { DATABASE_URL: database } });
  const close = async () => {
    await stage.bot.stop();
    await stage.driver.close();
    await stage.simulator.close();
    await rm(folder, { recursive: true, force: true });
  };
  return Object.assign(stage, { database, close });
}

/** Performs the act, waits for the answer and all effects, and returns the effects. */
export async function effectOf(stage: Stage, persona: Persona, act: () => Promise<void>): Promise<Effect> {
  return await effectUntil(stage, persona, async (before) => {
    await act();
    await until(async () => {
      const now = await look(stage, persona);
      return isNew(before.privately, now.privately).length + isNew(before.publicly, now.publicly).length > 0;
    }, `an answer to ${persona} on ${stage.driver.platform}`);
  });
}

/** Returns the effects of an act that itself waits for its answer, if there is an answer. */
export async function effectUntil(
  stage: Stage,
  persona: Persona,
  act: (before: Awaited<ReturnType<typeof look>>) => Promise<void>,
): Promise<Effect> {
  const { bot, simulator } = stage;
  const before = await look(stage, persona);
  const asked = simulator.requests.length;
  await act(before);
  await bot.app.settled();
  const after = await look(stage, persona);
  return {
    privately: isNew(before.privately, after.privately),
    publicly: isNew(before.publicly, after.publicly),
    // The bot also reads the catalogue at its start. These requests are not effects of the act.
    asked: simulator.requests
      .slice(asked)
      .filter(({ endpoint }) => endpoint !== 'applications' && endpoint !== 'locations')
      .map(({ method, endpoint }) => `${method} ${endpoint}`),
  };
}

async function look(stage: Stage, persona: Persona) {
  return { privately: await stage.driver.privately(persona), publicly: await channelOf(stage) };
}

/** Reads the local Slack over HTTP only after a change, not at every call. */
async function channelOf(stage: Stage): Promise<readonly VisibleMessage[]> {
  const { driver } = stage;
  if (driver.platform !== 'slack') return await driver.channel();
  const { changes } = (driver as SlackDriver).server.web;
  const version = changes.filter(({ kind }) => kind !== 'private').length;
  if (stage.channel?.version !== version) stage.channel = { version, messages: await driver.channel() };
  return stage.channel.messages;
}

function isNew(before: readonly VisibleMessage[], after: readonly VisibleMessage[]): VisibleMessage[] {
  return after.filter((message) => {
    const same = before.find(({ id }) => id === message.id);
    return same === undefined || same.edits !== message.edits;
  });
}

/** Types a line unchanged, on platforms on which commands are text. */
export async function typeLine({ driver }: Stage, persona: Persona, line: string): Promise<void> {
  if (driver.platform === 'slack') await (driver as SlackDriver).slash(persona, line);
  else if (driver.platform === 'console') await (driver as ConsoleDriver).type(line);
  else throw new Error('Discord has no text commands');
}

/** Presses a button that is possibly no longer visible, like a person who still sees an old version of the message. */
export async function pressAction(stage: Stage, persona: Persona, action: ActionRef): Promise<void> {
  const { driver } = stage;
  const id = encodeActionId(action);
  if (driver.platform === 'discord') {
    const { server, user } = driver as DiscordDriver;
    const message = server.rest.messages.all().find(({ onlyFor }) => onlyFor === undefined);
    if (!message) throw new Error('There is no message to hold a button');
    const interaction = server.press(user(persona), message, id);
    await until(() => interaction.acknowledged !== undefined, `a first response to ${id}`);
    return;
  }
  const { server, userIds, deliver } = driver as SlackDriver;
  const user = userIds[persona];
  const channel = server.world.channels.team;
  const [message] = await driver.channel();
  if (!message) throw new Error('There is no message to hold a button');
  const source = { ts: message.id, ephemeral: false };
  await deliver('interactive', {
    type: 'block_actions',
    user: { id: user },
    api_app_id: 'A0EDGEGAP',
    token: 'legacy',
    container: { type: 'message', message_ts: message.id, channel_id: channel, is_ephemeral: false },
    trigger_id: `press-${process.hrtime.bigint()}`,
    team: { id: server.world.team, domain: 'kart-studio' },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel, name: 'game-servers' },
    message: { type: 'message', ts: message.id },
    response_url: `${server.origin}${server.urls.issue({ user, channel, source })}`,
    actions: [
      {
        type: 'button',
        action_id: id,
        block_id: 'block',
        text: { type: 'plain_text', text: 'It' },
        action_ts: '1',
      },
    ],
  });
}

/** Makes a deployment without the bot, as a matchmaker would. Resolves when the server is ready. */
export async function deployElsewhere(
  simulator: Simulator,
  application: string,
  version: string,
  tags: readonly string[] = [],
): Promise<string> {
  const response = await fetch(`${simulator.url}/v2/deployments`, {
    method: 'POST',
    headers: { authorization: `token ${simulator.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      application,
      version,
      tags,
      users: [{ user_type: 'geo_coordinates', user_data: { latitude: 45.5, longitude: -73.5 } }],
    }),
  });
  const { request_id } = (await response.json()) as { request_id: string };
  await until(() => phase(simulator, request_id) === 'READY', `${request_id} to be ready`);
  return request_id;
}

export function phase(simulator: Simulator, request_id: string): string | undefined {
  return simulator.deployments.get(request_id)?.history.at(-1)?.phase;
}

/** Deploys as the operator, and waits until a message in the channel says that the server is ready. */
export async function deployReady(
  { driver, simulator, bot, speed }: Stage,
  application = 'kart-racing',
  version = 'v1.2',
  tag?: string,
): Promise<string> {
  const had = new Set(simulator.deployments.keys());
  // The bot sends messages to a channel at a limited rate, so time has to run faster.
  speed(20);
  const values = { application, version, near: 'Montreal', ...(tag ? { tag } : {}) };
  await driver.command('operator', 'deploy', values);
  const id = await until(
    () => [...simulator.deployments.keys()].find((one) => !had.has(one)),
    'the deployment to exist',
  );
  await until(
    async () => (await driver.channel()).some(({ text }) => text.includes('is ready') && text.includes(id)),
    'the channel to be told',
  );
  await bot.app.settled();
  speed(1);
  return id;
}
