import { type OpenView, stateOf } from './slack-views.ts';
import type { SlackMessageState, VisibleButton } from './slack-visible.ts';
import type { SlackWorld } from './slack-world.ts';

/** The payload after a person has typed `/edgegap <text>`. */
export function slashPayload(
  world: SlackWorld,
  said: {
    readonly user: string;
    readonly channel: string;
    readonly text: string;
    readonly trigger: string;
    readonly responseUrl: string;
  },
): object {
  return {
    token: 'legacy',
    team_id: teamOf(world, said.user),
    team_domain: 'kart-studio',
    channel_id: said.channel,
    channel_name: 'game-servers',
    user_id: said.user,
    user_name: nameOf(world, said.user),
    command: '/edgegap',
    text: said.text,
    api_app_id: 'A0EDGEGAP',
    is_enterprise_install: 'false',
    response_url: said.responseUrl,
    trigger_id: said.trigger,
  };
}

/** The payload of an event to which the bot has subscribed. */
export function eventPayload(world: SlackWorld, event: object, id: string): object {
  return {
    token: 'legacy',
    type: 'event_callback',
    team_id: world.team,
    api_app_id: 'A0EDGEGAP',
    event,
    event_id: id,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: world.team,
        user_id: world.bot.user,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
  };
}

/** The payload after a person has pressed a button. */
export function pressPayload(
  world: SlackWorld,
  pressed: {
    readonly user: string;
    readonly channel: string;
    readonly message: SlackMessageState;
    readonly ephemeral: boolean;
    readonly button: VisibleButton & { readonly value?: string };
    readonly trigger: string;
    readonly responseUrl: string;
  },
): object {
  const { user, channel, message, ephemeral, button } = pressed;
  const { ts, thread_ts } = message;
  const name = nameOf(world, user);
  return {
    type: 'block_actions',
    user: { id: user, username: name, name, team_id: teamOf(world, user) },
    api_app_id: 'A0EDGEGAP',
    token: 'legacy',
    container: {
      type: 'message',
      message_ts: ts,
      channel_id: channel,
      is_ephemeral: ephemeral,
      ...(thread_ts ? { thread_ts } : {}),
    },
    trigger_id: pressed.trigger,
    team: { id: world.team, domain: 'kart-studio' },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel, name: 'game-servers' },
    ...(ephemeral ? {} : { message: { type: 'message', user: world.bot.user, ...message } }),
    response_url: pressed.responseUrl,
    actions: [
      {
        action_id: button.action_id,
        block_id: 'block',
        ...(button.value === undefined
          ? { type: 'button', text: { type: 'plain_text', text: button.label } }
          : {
              type: 'static_select',
              selected_option: { text: { type: 'plain_text', text: button.label }, value: button.value },
            }),
        action_ts: String(Date.now() / 1000),
        ...(button.url ? { url: button.url } : {}),
      },
    ],
  };
}

/** The payload after a person has chosen a shortcut. With a message, the shortcut is from the menu of this message. */
export function shortcutPayload(
  world: SlackWorld,
  chosen: {
    readonly user: string;
    readonly callbackId: string;
    readonly trigger: string;
    readonly on?: {
      readonly channel: string;
      readonly message: SlackMessageState;
      readonly responseUrl: string;
    };
  },
): object {
  const { user, callbackId, trigger, on } = chosen;
  const name = nameOf(world, user);
  return {
    type: on ? 'message_action' : 'shortcut',
    token: 'legacy',
    action_ts: String(Date.now() / 1000),
    team: { id: world.team, domain: 'kart-studio' },
    user: { id: user, username: name, name, team_id: teamOf(world, user) },
    is_enterprise_install: false,
    enterprise: null,
    callback_id: callbackId,
    trigger_id: trigger,
    ...(on && {
      channel: { id: on.channel, name: 'game-servers' },
      message_ts: on.message.ts,
      message: { type: 'message', ...on.message },
      response_url: on.responseUrl,
    }),
  };
}

/** The payload when a person submits a modal, types in a menu of a modal, or presses a button in a modal. */
export function viewPayload(
  world: SlackWorld,
  type: 'view_submission' | 'view_closed' | 'block_suggestion' | 'block_actions',
  {
    user,
    view,
    values,
    ...more
  }: {
    readonly user: string;
    readonly view: OpenView;
    readonly values: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  },
): object {
  const name = nameOf(world, user);
  return {
    type,
    team: { id: world.team, domain: 'kart-studio' },
    user: { id: user, username: name, name, team_id: teamOf(world, user) },
    api_app_id: 'A0EDGEGAP',
    token: 'legacy',
    view: { ...view, type: 'modal', hash: '156663117.cd33ad1f', state: { values: stateOf(view, values) } },
    ...(type === 'view_submission' ? { response_urls: [] } : {}),
    ...(type === 'view_closed' ? { is_cleared: false } : {}),
    ...(type.startsWith('block') ? { container: { type: 'view', view_id: view.id } } : {}),
    enterprise: null,
    is_enterprise_install: false,
    ...more,
  };
}

function teamOf(world: SlackWorld, user: string): string {
  return String(world.facts.get(user)?.team_id ?? world.team);
}

function nameOf({ users }: SlackWorld, user: string): string {
  return Object.entries(users).find(([, id]) => id === user)?.[0] ?? user;
}
