import type { types } from '@slack/bolt';
import type {
  ChatDriver,
  FormHands,
  Group,
  MenuHands,
  Persona,
  Values,
  VisibleMessage,
} from './chat-driver.ts';
import { type InboundOptions, postToBot } from './slack-inbound.ts';
import { eventPayload, pressPayload, shortcutPayload, slashPayload, viewPayload } from './slack-payloads.ts';
import { type SlackServer, type SlackServerOptions, startSlackServer } from './slack-server.ts';
import type { EnvelopeKind } from './slack-socket.ts';
import { inputsOf } from './slack-views.ts';
import {
  buttonsOf,
  choicesOf,
  type SlackMessageState,
  type VisibleButton,
  visibleMessage,
} from './slack-visible.ts';
import type { Change } from './slack-web-api.ts';
import { personToken, SLACK_TOKENS } from './slack-world.ts';
import { until } from './test-clock.ts';

export interface SlackDriver extends ChatDriver, FormHands, MenuHands {
  readonly platform: 'slack';
  readonly server: SlackServer;
  /**
   * The direct messages to this person, followed by the ephemeral messages. Each of the two groups begins with its
   * oldest message.
   */
  privately(persona: Persona): Promise<VisibleMessage[]>;
  channel(): Promise<VisibleMessage[]>;
  /** The ids for SLACK_OPERATORS and SLACK_READERS. */
  readonly groupIds: Readonly<Record<Group, string>>;
  readonly userIds: Readonly<Record<Persona, string>>;
  /**
   * Types `/edgegap <text>` in a channel. The default is the team's channel. Resolves when the bot has acknowledged the
   * command.
   */
  slash(
    persona: Persona,
    text: string,
    options?: { readonly channel?: string; readonly trigger?: string },
  ): Promise<void>;
  /** Writes `@edgegap <text>`, in a thread if `thread` is given. Resolves with the `ts` of the written message. */
  mention(persona: Persona, text: string, thread?: string): Promise<string>;
  /** Chooses a global shortcut, which belongs to no message. Resolves when the bot has acknowledged the shortcut. */
  shortcut(persona: Persona, callbackId: string): Promise<void>;
  /** Closes the form that was opened last. Slack informs the bot only if the form sets `notify_on_close`. */
  closeForm(persona: Persona): Promise<void>;
  /** Sends a payload to the bot, over the socket or by HTTP. Resolves with the content of the acknowledgement. */
  deliver(kind: EnvelopeKind, payload: object, options?: InboundOptions): Promise<unknown>;
}

export async function createSlackDriver({
  mode,
  ...serverOptions
}: {
  readonly mode: 'socket' | 'http';
} & SlackServerOptions): Promise<SlackDriver> {
  const server = await startSlackServer(serverOptions);
  const { world, web, urls } = server;
  let botUrl: string | undefined;
  let count = 0;
  const next = (what: string) => `${what}-${++count}`;

  async function deliver(
    kind: EnvelopeKind,
    payload: object,
    options: InboundOptions = {},
  ): Promise<unknown> {
    if (mode === 'socket') return await server.socket.deliver(kind, payload, options.retry);
    if (botUrl === undefined) throw new Error('Call ready() first: the bot has no URL yet');
    const response = await postToBot(botUrl, kind, payload, options);
    if (!response.ok) throw new Error(`The bot answered HTTP ${response.status} to ${kind}`);
    const body = await response.text();
    return body === '' ? undefined : JSON.parse(body);
  }

  const slash: SlackDriver['slash'] = async (persona, text, options = {}) => {
    const user_id = world.users[persona];
    const channel_id = options.channel ?? world.channels.team;
    const responseUrl = `${server.origin}${urls.issue({ user: user_id, channel: channel_id, source: undefined })}`;
    await deliver(
      'slash_commands',
      slashPayload(world, {
        user: user_id,
        channel: channel_id,
        text,
        trigger: options.trigger ?? next('trigger'),
        responseUrl,
      }),
    );
  };

  const mention: SlackDriver['mention'] = async (persona, text, thread) => {
    const said = `<@${world.bot.user}> ${text}`;
    const channel = world.channels.team;
    const inThread: Record<string, string> = thread === undefined ? {} : { thread_ts: thread };
    const posted = await world.call(personToken(persona), 'chat.postMessage', {
      channel,
      text: said,
      ...inThread,
    });
    const ts = String(posted.ts);
    const user = world.users[persona];
    await event({ type: 'app_mention', user, text: said, ts, channel, event_ts: ts, ...inThread });
    return ts;
  };

  async function event(body: object): Promise<void> {
    await deliver('events_api', eventPayload(world, body, next('Ev')));
  }

  /** Runs the function, and waits for the first new message that this person sees. */
  async function firstResponse(user: string, run: () => Promise<unknown>, source?: string): Promise<void> {
    const before = web.changes.length;
    const forms = web.views.changes;
    // If the acknowledgement reports a mistake at a form field, no message follows.
    if (mistakesIn(await run()) !== undefined) return;
    const isAnswer = ({ kind, keyed, user: reader, ts, channel, url }: Change) => {
      if (kind === 'edit') return ts === source;
      return kind === 'private' || url !== undefined
        ? reader === user
        : !keyed && channel === world.channels.team;
    };
    await until(
      () => web.changes.slice(before).some(isAnswer) || web.views.changes > forms,
      'a first response',
    );
  }

  const press = (persona: Persona, label: string) => act(persona, label, buttonsOf);

  /** Presses or chooses the element with this label, in the newest message that has such an element. */
  async function act(
    persona: Persona,
    label: string,
    partsOf: (message: SlackMessageState) => readonly (VisibleButton & { readonly value?: string })[],
  ): Promise<void> {
    const user = world.users[persona];
    const channel = world.channels.team;
    const publicOnes = await web.messages(channel);
    const privateOnes = server.ephemerals.filter((message) => message.user === user);
    const seen: readonly SlackMessageState[] = [...publicOnes, ...privateOnes].toSorted(
      (a, b) => Number(b.ts) - Number(a.ts),
    );
    const message = seen.find((candidate) => partsOf(candidate).some((button) => button.label === label));
    const button = message && partsOf(message).find((candidate) => candidate.label === label);
    if (!message || !button) throw new Error(`${persona} sees no button "${label}"`);
    const ephemeral = privateOnes.some(({ ts }) => ts === message.ts);
    const { ts } = message;
    const source = { ts, ephemeral };
    await firstResponse(
      user,
      () =>
        deliver(
          'interactive',
          pressPayload(world, {
            user,
            channel,
            message,
            ephemeral,
            button,
            trigger: next('trigger'),
            responseUrl: `${server.origin}${urls.issue({ user, channel, source })}`,
          }),
        ),
      ts,
    );
  }

  const lastView = () => {
    const view = web.views.open.at(-1);
    if (!view) throw new Error('No form is open');
    return view;
  };
  let submitted: Readonly<Record<string, string>> = {};
  let mistakes: Readonly<Record<string, string>> = {};
  const hands: FormHands = {
    form() {
      const view = web.views.open.at(-1);
      return view && { title: view.title.text, fields: inputsOf(view).map(({ block_id }) => block_id) };
    },
    shown(field) {
      const element = inputsOf(lastView()).find(({ block_id }) => block_id === field)?.element;
      const held = element as
        | { initial_value?: string; initial_option?: Picked; initial_options?: readonly Picked[] }
        | undefined;
      const { initial_value, initial_option, initial_options } = held ?? {};
      return (
        initial_value ?? initial_option?.value ?? initial_options?.map(({ value }) => value).join('\n') ?? ''
      );
    },
    opened: () => web.views.changes,
    mistakes: () => mistakes,
    async fillIn(persona, values) {
      const user = world.users[persona];
      // The other fields keep the values that the form shows.
      const kept = inputsOf(lastView()).map(({ block_id }) => [block_id, hands.shown(block_id)] as const);
      const filled = { ...Object.fromEntries(kept.filter(([, value]) => value !== '')), ...values };
      const said = { user, view: lastView(), values: filled, trigger_id: next('trigger') };
      submitted = filled;
      await firstResponse(user, async () => {
        const answer = await deliver('interactive', viewPayload(world, 'view_submission', said));
        mistakes = mistakesIn(answer) ?? {};
        return answer;
      });
    },
    async more(persona, values = {}) {
      const user = world.users[persona];
      const view = lastView();
      const button = view.blocks.flatMap(({ type, ...block }) =>
        type === 'actions' && 'elements' in block ? (block.elements ?? []) : [],
      )[0];
      if (!button) throw new Error('The form has no button for more');
      const actions = [{ type: 'button', block_id: 'more', action_ts: '1', ...button }];
      const container = { type: 'view', view_id: view.id };
      const said = { user, view, values, trigger_id: next('trigger'), actions, container };
      await firstResponse(user, () => deliver('interactive', viewPayload(world, 'block_actions', said)));
    },
    async submitAgain(persona) {
      const user = world.users[persona];
      const said = { user, view: lastView(), values: submitted, trigger_id: next('trigger') };
      await deliver('interactive', viewPayload(world, 'view_submission', said));
    },
    choose: (persona, label) =>
      act(persona, label, (message) => choicesOf(message).map((one) => ({ ...one, url: undefined }))),
    async suggested(...typing) {
      return (await hands.offered(...typing)).map(({ value }) => value);
    },
    async offered(persona, name, option, value, given = {}) {
      const view = lastView();
      const [command, subcommand = ''] = name.split(' ');
      const id = `${command}:${option}:${subcommand}`;
      const field = inputsOf(view).find(({ element }) => element.action_id === id);
      if (!field) throw new Error(`The form has no field for ${option} of ${name}`);
      const { action_id } = field.element;
      const asked = {
        user: world.users[persona],
        view,
        values: given as Readonly<Record<string, string>>,
        action_id,
        block_id: field.block_id,
        value,
      };
      const answer = await deliver('interactive', viewPayload(world, 'block_suggestion', asked));
      const { options } = answer as { options: types.PlainTextOption[] };
      return options.map((one) => ({
        label: [one.text.text, one.description?.text].filter((part) => part).join(' | '),
        value: one.value ?? '',
      }));
    },
  };

  const visible = (message: SlackMessageState, edits: number): VisibleMessage =>
    visibleMessage(message, { edits, fileContent: (id) => server.uploads.get(id) ?? '' });

  return {
    platform: 'slack',
    ...hands,
    server,
    groupIds: world.groups,
    userIds: world.users,
    environment: {
      SLACK_BOT_TOKEN: SLACK_TOKENS.bot,
      SLACK_API_URL: server.apiUrl,
      ...(mode === 'socket'
        ? { SLACK_APP_TOKEN: SLACK_TOKENS.app }
        : { SLACK_SIGNING_SECRET: SLACK_TOKENS.signingSecret }),
    },
    async ready({ url }) {
      botUrl = url;
      if (mode === 'socket') await until(() => server.socket.connections > 0, 'the Socket Mode connection');
    },
    command: (persona, name, values = {}) =>
      firstResponse(world.users[persona], () => slash(persona, [name, ...options(values)].join(' '))),
    press,
    channel: async () =>
      (await web.messages(world.channels.team)).map((message) =>
        visible(message, web.edits.get(message.ts) ?? 0),
      ),
    async privately(persona) {
      const user = world.users[persona];
      const direct = web.directMessages.get(user);
      const letters = direct === undefined ? [] : await web.messages(direct, SLACK_TOKENS.bot);
      const asides = server.ephemerals.filter((message) => message.user === user);
      return [
        ...letters.map((message) => visible(message, web.edits.get(message.ts) ?? 0)),
        ...asides.map((message) => visible(message, message.edits)),
      ];
    },
    async regroup(persona, groups) {
      for (const [name, id] of Object.entries(world.groups)) {
        const members = world.members.get(id);
        if (groups.includes(name as Group)) members?.add(world.users[persona]);
        else members?.delete(world.users[persona]);
        if (mode === 'socket' ? server.socket.connections > 0 : botUrl !== undefined)
          await event({ type: 'subteam_members_changed', subteam_id: id, team_id: world.team });
      }
    },
    async fromMenu(persona, ts, callbackId) {
      const user = world.users[persona];
      const channel = world.channels.team;
      const message = (await web.messages(channel)).find((one) => one.ts === ts);
      if (!message) throw new Error(`There is no message ${ts}`);
      const responseUrl = `${server.origin}${urls.issue({ user, channel, source: undefined })}`;
      const on = { channel, message, responseUrl };
      const chosen = { user, callbackId, trigger: next('trigger'), on };
      await firstResponse(user, () => deliver('interactive', shortcutPayload(world, chosen)));
    },
    async write(persona, text) {
      const channel = world.channels.team;
      return String((await world.call(personToken(persona), 'chat.postMessage', { channel, text })).ts);
    },
    async shortcut(persona, callbackId) {
      const chosen = { user: world.users[persona], callbackId, trigger: next('trigger') };
      await deliver('interactive', shortcutPayload(world, chosen));
    },
    async closeForm(persona) {
      const view = lastView();
      if (!view.notify_on_close) return;
      const said = { user: world.users[persona], view, values: {} };
      await deliver('interactive', viewPayload(world, 'view_closed', said));
    },
    slash,
    mention,
    deliver,
    close: () => server.close(),
  };
}

interface Picked {
  readonly value: string;
}

/** The error texts at the fields of a form. Undefined if the acknowledgement of the submission has no error texts. */
function mistakesIn(answer: unknown): Readonly<Record<string, string>> | undefined {
  const { response_action, errors } = (answer ?? {}) as { response_action?: string; errors?: object };
  return response_action === 'errors' ? (errors as Record<string, string>) : undefined;
}

/** Writes `--name value`, with quotation marks if a person would have to type them. */
function options(values: Values): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [`--${name}`] : [];
    const written = String(value);
    return [
      `--${name}`,
      /^[^\s"'\\]+$/.test(written) ? written : `"${written.replaceAll(/(["\\])/g, '\\$1')}"`,
    ];
  });
}
