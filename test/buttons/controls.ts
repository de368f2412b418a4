import { decodeActionId } from '../../src/chat/action-id.ts';
import type { ActionRef } from '../../src/chat/card.ts';
import { ENDED } from '../../src/command/request-summary.ts';
import type { Stage } from '../command/harness.ts';
import type { Persona } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { walk } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { pressPayload } from '../support/slack-payloads.ts';
import { buttonsOf, choicesOf, type SlackMessageState } from '../support/slack-visible.ts';
import { until } from '../support/test-clock.ts';

/** A button on a message, or a choice in a menu of the message. */
export interface Control {
  /** The id of the message with the control. */
  readonly message: string;
  readonly action: ActionRef;
  /** The id in the form in which the platform sends it. */
  readonly id: string;
  readonly label: string;
  /** The value of a choice. Undefined for a button. */
  readonly value?: string;
}

/** A press that was delivered to the bot. */
export interface Press {
  /** Delivers the same press again, like a platform that got no acknowledgement. */
  again(): Promise<void>;
  /** The title of the form that the press opened. */
  form(): string | undefined;
}

/** The name of a control, such as `stop:ask`. */
export const nameOf = ({ action: { command, action } }: Control) => `${command}:${action}`;

/** The buttons and choices on all messages that this person sees, those of the oldest message first. */
export async function controlsOf({ driver }: Stage, persona: Persona): Promise<Control[]> {
  const found =
    driver.platform === 'discord'
      ? onDiscord(driver as DiscordDriver, persona)
      : await onSlack(driver as SlackDriver, persona);
  return found.flatMap(({ id, ...control }) => {
    const action = decodeActionId(id.replace(/^\d+:/, ''));
    return action ? [{ ...control, id, action }] : [];
  });
}

type Found = Omit<Control, 'action'>;

function onDiscord({ server, user }: DiscordDriver, persona: Persona): Found[] {
  const seen = server.rest.messages
    .all()
    .filter(({ onlyFor = user(persona).id }) => onlyFor === user(persona).id);
  return seen.flatMap((message) =>
    [...walk(message.components)].flatMap(({ custom_id: id, label = '', options }): Found[] => {
      if (id === undefined) return [];
      const control = { message: message.id, id };
      return options ? options.map((option) => ({ ...control, ...option })) : [{ ...control, label }];
    }),
  );
}

async function onSlack(driver: SlackDriver, persona: Persona): Promise<Found[]> {
  const seen = await slackMessages(driver, persona);
  return seen.flatMap((message) =>
    [...buttonsOf(message), ...choicesOf(message)].map(({ action_id: id, ...control }) => ({
      ...control,
      id,
      message: message.ts,
    })),
  );
}

/** Caches the messages of the channel, because the local Slack limits the rate of requests. */
const read = new WeakMap<
  SlackDriver,
  { readonly version: number; readonly messages: readonly SlackMessageState[] }
>();

async function slackMessages(driver: SlackDriver, persona: Persona): Promise<readonly SlackMessageState[]> {
  const { server, userIds } = driver;
  const version = server.web.changes.filter(({ kind }) => kind !== 'private').length;
  let channel = read.get(driver);
  if (channel?.version !== version) {
    channel = { version, messages: await server.web.messages(server.world.channels.team) };
    read.set(driver, channel);
  }
  return [...channel.messages, ...server.ephemerals.filter(({ user }) => user === userIds[persona])];
}

/**
 * Presses the control. The message may no longer show the control, because a person can have an old view of the
 * message.
 */
export function press(stage: Stage, persona: Persona, control: Control): Promise<Press> {
  return stage.driver.platform === 'discord'
    ? pressOnDiscord(stage.driver as DiscordDriver, persona, control)
    : pressOnSlack(stage.driver as SlackDriver, persona, control);
}

async function pressOnDiscord(
  { server, user }: DiscordDriver,
  persona: Persona,
  { message: id, value, ...control }: Control,
): Promise<Press> {
  const message = server.rest.messages.all().find((one) => one.id === id);
  if (!message) throw new Error(`There is no message ${id}`);
  const sent =
    value === undefined
      ? server.press(user(persona), message, control.id)
      : server.choose(user(persona), message, control.id, value);
  return { again: async () => server.redeliver(sent), form: () => sent.modal?.title };
}

let presses = 0;

async function pressOnSlack(driver: SlackDriver, persona: Persona, control: Control): Promise<Press> {
  const { server, deliver, userIds } = driver;
  const { world, web, urls } = server;
  const [channel, user] = [world.channels.team, userIds[persona]];
  const message = (await slackMessages(driver, persona)).find(({ ts }) => ts === control.message);
  if (!message) throw new Error(`${persona} sees no message ${control.message}`);
  const ephemeral = server.ephemerals.some(({ ts }) => ts === message.ts);
  const { id: action_id, label, value } = control;
  const payload = pressPayload(world, {
    user,
    channel,
    message,
    ephemeral,
    button: { label, action_id, url: undefined, ...(value === undefined ? {} : { value }) },
    trigger: `control-${++presses}`,
    responseUrl: `${server.origin}${urls.issue({ user, channel, source: { ts: message.ts, ephemeral } })}`,
  });
  const forms = web.views.changes;
  await deliver('interactive', payload);
  return {
    again: async () => void (await deliver('interactive', payload, { retry: { attempt: 1 } })),
    form: () => (web.views.changes > forms ? web.views.open.at(-1)?.title.text : undefined),
  };
}

/** The log lines about invocations that have ended. */
export const endings = ({ bot }: Stage) =>
  bot.log.filter((line) => line.includes(`"msg":"${ENDED}"`)).map((line) => JSON.parse(line) as Ended);

interface Ended {
  readonly outcome: string;
  readonly code?: string;
}

/** Waits until `count` more invocations have ended than `before`, and until all messages have been sent. */
export async function ended(stage: Stage, before: number, count: number): Promise<readonly Ended[]> {
  await until(() => endings(stage).length >= before + count, `the end of ${count} requests`);
  // The bot sends its messages at the rate that a platform allows, so time has to run faster.
  stage.speed(20);
  await stage.bot.app.settled();
  stage.speed(1);
  return endings(stage).slice(before);
}
