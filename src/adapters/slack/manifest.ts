import type { Directory } from '../../command/define.ts';
import { menuActions } from '../../command/on-card.ts';

/** The path to which Slack sends its requests in HTTP mode. */
export const SLACK_PATH = '/slack/events';
/** The bot's only slash command. Any further command could collide with a command of another app in the workspace. */
export const SLASH_COMMAND = '/edgegap';

/** The name by which people mention the bot. */
export const BOT_NAME = 'edgegap';

/** The scopes that the bot needs, each with the consequence if the scope is missing. */
const SCOPES = {
  'app_mentions:read': 'people cannot mention the bot (event app_mention)',
  'channels:history': 'after a crash, the bot may post a message in a channel twice',
  'channels:join': 'the bot cannot join channels',
  'chat:write': 'the bot cannot post',
  'chat:write.public': 'the bot cannot post in public channels without an invitation',
  commands: 'people cannot use /edgegap or a shortcut',
  'files:write': 'the bot cannot attach logs and charts',
  'groups:history': 'after a crash, the bot may post a message in a private channel twice',
  'im:history': 'after a crash, the bot may post a direct message twice',
  'metadata.message:read': 'after a crash, the bot does not recognise its own messages',
  'mpim:history': 'after a crash, the bot may post a group message twice',
  'usergroups:read': 'the bot knows no user groups (events subteam_members_changed and subteam_updated)',
  'users:read': 'the bot cannot check who may use a command',
} as const;

export const BOT_SCOPES = Object.keys(SCOPES) as readonly (keyof typeof SCOPES)[];

/** The scopes that an app lacks, each with the consequence. */
export function missingScopes(granted: readonly string[]) {
  return BOT_SCOPES.filter((scope) => !granted.includes(scope)).map((scope) => ({
    scope,
    lacks: SCOPES[scope],
  }));
}

/**
 * The events that Slack sends to the bot. The events about user groups tell the bot at once that a person has left a
 * group, and no longer has the rights of the group. Only `subteam_updated` reports that a group was disabled.
 */
export const BOT_EVENTS = [
  'app_home_opened',
  'app_mention',
  'subteam_members_changed',
  'subteam_updated',
] as const;

/** Maximum length of the usage hint (docs.slack.dev, app manifest reference). */
const USAGE_HINT_LENGTH = 1000;

/**
 * The app's settings in Slack's format. If `publicUrl` (with https) is given, the app uses HTTP mode. Without
 * `publicUrl`, the app uses Socket Mode.
 */
export function createManifest(directory: Directory, publicUrl?: string) {
  const url = publicUrl === undefined ? undefined : `${publicUrl.replace(/\/+$/, '')}${SLACK_PATH}`;
  return {
    display_information: {
      name: 'Edgegap',
      description: 'Deploy, check, list, tag and stop dedicated game servers from Slack, and read their logs',
      background_color: '#1f2a44',
    },
    features: {
      // The bot sends the files of private answers in direct messages. Without the Messages tab, Slack refuses direct
      // messages (error messages_tab_disabled).
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: true },
      bot_user: { display_name: BOT_NAME, always_online: true },
      slash_commands: [
        {
          command: SLASH_COMMAND,
          description: 'Edgegap dedicated servers: try /edgegap help',
          usage_hint: usageHint(directory),
          should_escape: false,
          ...(url ? { url } : {}),
        },
      ],
      shortcuts: [...globalShortcuts(directory), ...messageShortcuts(directory)],
    },
    oauth_config: { scopes: { bot: [...BOT_SCOPES] } },
    settings: {
      event_subscriptions: { ...(url ? { request_url: url } : {}), bot_events: [...BOT_EVENTS] },
      interactivity: {
        is_enabled: true,
        ...(url ? { request_url: url, message_menu_options_url: url } : {}),
      },
      org_deploy_enabled: false,
      socket_mode_enabled: url === undefined,
      token_rotation_enabled: false,
    },
  };
}

/**
 * The commands that a person can start from anywhere in Slack. Slack's request then names neither a message nor a
 * channel.
 */
function globalShortcuts(directory: Directory) {
  return directory.all
    .flatMap(({ entries }) => entries)
    .flatMap(({ name: callback_id, shortcut: name, description }) =>
      name === undefined ? [] : [{ type: 'global' as const, name, callback_id, description }],
    );
}

/**
 * The actions in the menu of a message. Slack shows these actions for every message, including messages of people and
 * of other apps.
 */
function messageShortcuts(directory: Directory) {
  const description = 'For the server on this card';
  return menuActions(directory).map(({ label }) => ({
    type: 'message' as const,
    name: label,
    callback_id: label,
    description,
  }));
}

/** The commands that a person can type: `deploy | list | logs ...`. */
function usageHint(directory: Directory): string {
  const names = directory.all.map(({ name }) => name).join(' | ');
  return names.length <= USAGE_HINT_LENGTH ? names : 'help';
}

/** The parts of an app's manifest that the bot depends on, in the format of Slack's export. */
export interface PresentManifest {
  readonly features?: { readonly slash_commands?: readonly { command?: string; url?: string }[] };
  readonly settings?: {
    readonly socket_mode_enabled?: boolean;
    readonly interactivity?: { readonly is_enabled?: boolean; readonly request_url?: string };
    readonly event_subscriptions?: { readonly request_url?: string; readonly bot_events?: readonly string[] };
  };
}

/** Describes the differences between an app and the manifest. Empty if the bot can work with the app. */
export function manifestFaults(
  { features, settings }: PresentManifest,
  wanted: ReturnType<typeof createManifest>,
): string[] {
  const faults: string[] = [];
  const events = BOT_EVENTS.filter((event) => !settings?.event_subscriptions?.bot_events?.includes(event));
  if (events.length > 0) faults.push(`the events ${events.join(', ')} are missing`);
  const command = features?.slash_commands?.find((one) => one.command === SLASH_COMMAND);
  if (!command) faults.push(`the slash command ${SLASH_COMMAND} is missing`);
  if (settings?.interactivity?.is_enabled !== true) faults.push('interactivity is off');
  const { socket_mode_enabled: socket, event_subscriptions } = wanted.settings;
  if ((settings?.socket_mode_enabled ?? false) !== socket)
    faults.push(
      `Socket Mode is ${socket ? 'off, and SLACK_APP_TOKEN needs it' : 'on, and the bot uses HTTP mode'}`,
    );
  const url = 'request_url' in event_subscriptions ? event_subscriptions.request_url : undefined;
  const urls = [
    command?.url,
    settings?.interactivity?.request_url,
    settings?.event_subscriptions?.request_url,
  ];
  if (url !== undefined && urls.some((one) => one !== url)) faults.push(`not every Request URL is ${url}`);
  return faults;
}
