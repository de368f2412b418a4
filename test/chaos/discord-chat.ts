import type { Clock } from '../../src/clock.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Persona, Values } from '../support/chat-driver.ts';
import { createDiscordDriver, groupIds } from '../support/discord-driver.ts';
import {
  type Component,
  flags,
  type StoredInteraction,
  type StoredMessage,
  walk,
} from '../support/discord-world.ts';
import { type Asked, type Chat, deploysOf, isExpired, pickDeployment, Unread } from './chat.ts';
import type { Deed } from './schedule.ts';
import type { Weather } from './weather.ts';

/** The requests that change nothing, as method and path. */
const READS = /^GET \/channels\/\d+\/messages$/;
/** If more messages follow than this number, the bot's search gives up (`src/adapters/discord/find-posted.ts`). */
const READ_AT_MOST = 2_000;
/** How far back the bot's search goes, in milliseconds. */
const LOOKED_FOR_MS = 60 * 60_000;
/** People press buttons only on this number of newest messages. */
const IN_SIGHT = 60;

export async function startDiscordChat(parts: {
  readonly clock: Clock;
  readonly factor: number;
  readonly weather: Weather;
  /** How long Discord waits for a first response, in real milliseconds. */
  readonly responseMs: number;
  readonly simulator: Simulator;
}): Promise<Chat> {
  const { clock, factor, weather, simulator, responseMs: waitMs } = parts;
  const unread = new Unread();
  const driver = await createDiscordDriver({
    now: () => clock.now(),
    // Discord's time limit for a first response is in real time, because the machine needs real time for the work.
    responseMs: waitMs * factor,
    chance(line) {
      const fault = weather.atDiscord(line);
      const failed = fault !== undefined && fault.answer !== 'right';
      if (READS.test(line) && (failed || isCrowded())) unread.note(clock.now());
      return fault;
    },
  });
  const { server } = driver;
  const { messages } = server.rest;
  const all: { what: string; interaction: StoredInteraction }[] = [];

  /** Whether the channel has so many messages that the bot's search may give up. */
  function isCrowded(): boolean {
    const oldest = messages.all().at(-READ_AT_MOST);
    return oldest !== undefined && clock.now() - oldest.createdAt < LOOKED_FOR_MS;
  }

  function once(persona: Persona, deed: Deed, number: number): StoredInteraction | undefined {
    const user = driver.user(persona);
    switch (deed.kind) {
      case 'deploy': {
        const { application, version } = deed;
        return command(persona, 'deploy', { application, version, near: 'Montreal', tag: `ask-${number}` });
      }
      case 'command':
        return command(persona, deed.name, {});
      case 'about': {
        const id = pickDeployment(simulator, deed.pick);
        if (id === undefined) return undefined;
        if (deed.name === 'tags')
          return command(persona, 'tags add', { deployment: id, tag: `tag-${number}` });
        return command(persona, deed.name, { deployment: id });
      }
      case 'press': {
        const seen = messages
          .all()
          .slice(-IN_SIGHT)
          .filter(({ onlyFor, flags: set }) => (onlyFor ?? user.id) === user.id && !(set & flags.loading))
          .flatMap((message) => buttonsOf(message).map((button) => ({ message, button })))
          .filter(({ button }) => button.label === deed.label);
        const found = seen[Math.floor(deed.pick * seen.length)];
        if (!found?.button.custom_id) return undefined;
        return note(
          `${persona} presses ${deed.label} of ${textOf(found.message.components).split('\n').join(' ')}`,
          server.press(user, found.message, found.button.custom_id),
        );
      }
    }
  }

  function command(persona: Persona, name: string, values: Values): StoredInteraction {
    const options = Object.entries(values).map(([key, value]) => ({ name: key, value, type: 3 }));
    const what = `${persona} asks /${name} ${Object.values(values).join(' ')}`;
    const [first = '', subcommand] = name.split(' ');
    const given = subcommand === undefined ? options : [{ type: 1, name: subcommand, options }];
    return note(what, server.command(driver.user(persona), first, given));
  }

  function note(what: string, interaction: StoredInteraction): StoredInteraction {
    all.push({ what, interaction });
    return interaction;
  }

  function asked({ what, interaction }: (typeof all)[number]): Asked {
    const { id, user, acknowledged, original, answers, source, createdAt } = interaction;
    const later = () => messages.looks.some(({ message, at }) => message === source && at >= createdAt);
    const answered =
      acknowledged === 5
        ? // If the public placeholder of the answer was deleted, the person got a private message instead.
          original !== undefined && (!(original.flags & flags.loading) || answers > 0)
        : acknowledged !== 6 || answers > 0 || later();
    const age = clock.now() - createdAt;
    return {
      ...{ id, what, person: user.id, deploys: deploysOf(what), answered },
      acknowledged: acknowledged !== undefined,
      pending: acknowledged === undefined && age < waitMs * factor,
      expired: isExpired(what, age),
    };
  }

  return {
    environment: { ...driver.environment, DISCORD_OPERATOR_ROLES: groupIds.operators },
    ask(ask, number) {
      for (let times = ask.double ? 2 : 1; times > 0; times--) {
        const interaction = once(ask.persona, ask.deed, number);
        if (interaction && ask.againAfterMs !== null)
          setTimeout(() => server.redeliver(interaction), ask.againAfterMs).unref();
      }
    },
    looks: () =>
      messages.looks
        .filter(({ message }) => message.onlyFor === undefined)
        .map(({ message, components, at }) => ({
          ...{ message: message.id, text: textOf(components), under: message.parent },
          unread: unread.until(at),
        })),
    asked: () => all.map(asked),
    privately: () =>
      messages
        .all()
        .flatMap((message) =>
          message.onlyFor === undefined
            ? []
            : [{ person: message.onlyFor, text: textOf(message.components) }],
        ),
    cut: (how) => (how === 'drop' ? server.gateway.drop() : server.gateway.askToReconnect()),
    receivers: () => server.gateway.receivers,
    violations: () => server.violations,
    close: () => driver.close(),
  };
}

function buttonsOf({ components }: StoredMessage): Component[] {
  return [...walk(components)].filter(({ type, disabled }) => type === 2 && disabled !== true);
}

function textOf(components: readonly Component[]): string {
  return [...walk(components)]
    .flatMap(({ type, content }) => (type === 10 ? [content ?? ''] : []))
    .join('\n');
}
