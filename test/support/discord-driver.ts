import type {
  ChatDriver,
  FormHands,
  Group,
  MenuHands,
  Persona,
  Values,
  VisibleMessage,
} from './chat-driver.ts';
import { type DiscordServer, type DiscordServerOptions, startDiscordServer } from './discord-server.ts';
import {
  BOT_TOKEN,
  flags,
  ids,
  permissions,
  roleIds,
  type StoredInteraction,
  type StoredMessage,
  type User,
  walk,
} from './discord-world.ts';
import { until } from './test-clock.ts';

/** The ids of the roles, for DISCORD_OPERATOR_ROLES and DISCORD_READER_ROLES. */
export const groupIds: Readonly<Record<Group, string>> = roleIds;

/** A role that no setting names. */
const otherRole = '300000000000000009';

export interface DiscordDriver extends ChatDriver, FormHands, MenuHands {
  readonly platform: 'discord';
  readonly server: DiscordServer;
  /** The Discord user for this persona. */
  user(persona: Persona): User;
}

export async function createDiscordDriver(options: DiscordServerOptions = {}): Promise<DiscordDriver> {
  const server = await startDiscordServer(options);
  const people = createPeople();
  server.rest.people.push(...Object.values(people));

  function visibleTo(persona: Persona): StoredMessage[] {
    return server.rest.messages
      .all()
      .filter((message) => [undefined, people[persona].id].includes(readerOf(message)))
      .filter((message) => !(message.flags & flags.loading));
  }

  /** The only person who sees the message. Undefined if the message is neither ephemeral nor direct. */
  function readerOf({ onlyFor, channel }: StoredMessage): string | undefined {
    return onlyFor ?? server.rest.directChannels.get(channel);
  }

  /** The interaction that last opened a form. */
  let opener: StoredInteraction | undefined;
  let openings = 0;
  let submitted: StoredInteraction | undefined;
  async function responded(interaction: StoredInteraction, what: string): Promise<void> {
    await until(() => interaction.acknowledged !== undefined, `a first response to ${what}`);
    if (!interaction.modal) return;
    opener = interaction;
    openings += 1;
  }
  const hands: FormHands = {
    form() {
      const fields = opener?.modal?.components.map(({ component }) => component?.custom_id ?? '') ?? [];
      return opener?.modal && { title: opener.modal.title, fields };
    },
    shown(field) {
      const found = opener?.modal?.components.find(
        ({ component }) => component?.custom_id === field,
      )?.component;
      const { value = '', options = [] } = (found ?? {}) as { value?: string; options?: readonly Shown[] };
      return options.find((option) => option.default)?.value ?? value;
    },
    opened: () => openings,
    mistakes: () => ({}),
    async more() {
      throw new Error('A form on Discord has no buttons');
    },
    async fillIn(persona, values) {
      if (!opener) throw new Error('No form is open');
      // The other fields keep the values that the form shows.
      const kept = (hands.form()?.fields ?? []).map((field) => [field, hands.shown(field)] as const);
      const filled = { ...Object.fromEntries(kept.filter(([, value]) => value !== '')), ...values };
      const empty = (opener.modal?.components ?? []).find(
        ({ component }) => component?.required && !filled[component.custom_id ?? ''],
      );
      if (empty) throw new Error(`Discord does not send the form without ${empty.component?.custom_id}`);
      submitted = server.submit(opener, people[persona], filled);
      await responded(submitted, 'the form');
    },
    async submitAgain() {
      if (submitted) server.redeliver(submitted);
    },
    async choose(persona, label) {
      for (const message of visibleTo(persona).toReversed())
        for (const { custom_id = '', options = [] } of walk(message.components)) {
          const choice = options.find((option) => option.label === label);
          if (!choice) continue;
          return await responded(server.choose(people[persona], message, custom_id, choice.value), label);
        }
      throw new Error(`${persona} sees no choice "${label}"`);
    },
    async suggested(...typing) {
      return (await hands.offered(...typing)).map(({ value }) => value);
    },
    async offered(persona, name, option, value, given = {}) {
      const focused = { name: option, type: 3, value, focused: true };
      const { command, options } = asked(name, [...optionsOf(given), focused]);
      const typing = server.complete(people[persona], command, options);
      await responded(typing, `the typing of ${option}`);
      return (typing.choices ?? []).map((choice) => ({ label: choice.name, value: choice.value }));
    },
  };

  return {
    platform: 'discord',
    ...hands,
    server,
    environment: {
      DISCORD_TOKEN: BOT_TOKEN,
      DISCORD_GUILDS: ids.guild,
      DISCORD_API_URL: server.apiUrl,
    },
    user: (persona) => people[persona],

    async ready() {
      await until(() => server.gateway.connected, 'the bot on the gateway');
    },
    async command(persona, name, values: Values = {}) {
      const { command, options } = asked(name, optionsOf(values));
      const interaction = server.command(people[persona], command, options);
      await responded(interaction, `/${name}`);
    },
    async press(persona, label) {
      const found = visibleTo(persona)
        .toReversed()
        .flatMap((message) => buttonsOf(message).map((button) => ({ message, button })))
        .find(({ button }) => button.label === label);
      if (!found?.button.custom_id) throw new Error(`${persona} sees no button "${label}" to press`);
      const interaction = server.press(people[persona], found.message, found.button.custom_id);
      await responded(interaction, `the button "${label}"`);
    },
    async fromMenu(persona, id, entry) {
      const message = visibleTo(persona).find((one) => one.id === id);
      if (!message) throw new Error(`${persona} sees no message ${id}`);
      await responded(server.onMessage(people[persona], message, entry), entry);
    },
    async write(persona, text) {
      const { id, name } = people[persona];
      const author = { id, username: name.toLowerCase(), global_name: name };
      return server.rest.messages.create(ids.channel, { content: text }, [], { author }).id;
    },
    channel: () =>
      visibleTo('member')
        .filter((message) => message.onlyFor === undefined && message.channel === ids.channel)
        .map(visible),
    privately: (persona) =>
      visibleTo(persona)
        .filter((message) => readerOf(message) !== undefined)
        .map(visible),
    regroup(persona, groups) {
      people[persona].roles = groups.map((group) => groupIds[group]);
    },
    close: () => server.close(),
  };
}

/** `elsewhere` sends direct messages to the bot. Discord has no guests, so `guest` is a member without any role. */
function createPeople(): Record<Persona, User> {
  const home = {
    guild: ids.guild,
    channel: ids.channel,
    permissions: permissions.viewChannel | permissions.sendMessages,
  };
  const person = (n: number, name: string, rest: Partial<User> = {}): User => ({
    id: `50000000000000000${n}`,
    name,
    roles: [],
    ...home,
    ...rest,
  });
  return {
    // The stranger has added the bot to a different server, and has every permission on that server.
    stranger: person(1, 'Sam', {
      guild: ids.foreignGuild,
      channel: ids.foreignChannel,
      permissions: permissions.administrator | permissions.manageGuild,
      roles: [groupIds.operators],
    }),
    guest: person(2, 'Gail'),
    elsewhere: person(3, 'Eli', { guild: undefined, channel: ids.directChannel, permissions: 0n }),
    member: person(4, 'Mia', { roles: [otherRole] }),
    reader: person(5, 'Ria', { roles: [otherRole, groupIds.readers] }),
    operator: person(6, 'Olga', { roles: [groupIds.operators, otherRole] }),
    admin: person(7, 'Ada', { permissions: home.permissions | permissions.manageGuild }),
  };
}

interface Shown {
  readonly value: string;
  readonly default?: boolean;
}

/** In a command such as `tags add`, the options belong to the subcommand. */
function asked(name: string, options: readonly object[]) {
  const [command = '', subcommand] = name.split(' ');
  return { command, options: subcommand === undefined ? options : [{ type: 1, name: subcommand, options }] };
}

function optionsOf(values: Values): object[] {
  return Object.entries(values).map(([name, value]) => ({
    name,
    value,
    type: typeof value === 'number' ? 4 : typeof value === 'boolean' ? 5 : 3,
  }));
}

function buttonsOf(message: StoredMessage) {
  return [...walk(message.components)].filter(({ type, disabled }) => type === 2 && disabled !== true);
}

function visible(message: StoredMessage): VisibleMessage {
  return {
    id: message.id,
    text: [...walk(message.components)]
      .filter(({ type }) => type === 10)
      .map(({ content }) => content ?? '')
      .join('\n'),
    buttons: buttonsOf(message).map(({ label }) => label ?? ''),
    ...(message.parent === undefined ? {} : { parent: message.parent }),
    pings: message.pings,
    files: message.files.map(({ name, content }) => ({ name, content })),
    edits: message.edits,
  };
}
