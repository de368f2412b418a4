import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createManifest } from '../../../src/adapters/slack/manifest.ts';
import { createDirectory, defineCommand } from '../../../src/command/define.ts';
import { loadCommands } from '../../../src/command/load.ts';

/**
 * The format that Slack accepts, according to the app manifest reference on docs.slack.dev and the comments of the type
 * Manifest of @slack/web-api.
 */
const HttpsUrl = z.url({ protocol: /^https$/ });
const SlackManifest = z.strictObject({
  display_information: z.strictObject({
    name: z.string().min(1).max(35),
    description: z.string().max(140),
    background_color: z.string().regex(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i),
  }),
  features: z.strictObject({
    app_home: z.strictObject({
      home_tab_enabled: z.boolean(),
      messages_tab_enabled: z.boolean(),
      messages_tab_read_only_enabled: z.boolean(),
    }),
    bot_user: z.strictObject({
      display_name: z
        .string()
        .max(80)
        .regex(/^[a-z0-9._-]+$/),
      always_online: z.boolean(),
    }),
    slash_commands: z
      .array(
        z.strictObject({
          command: z.string().max(32).startsWith('/'),
          description: z.string().min(1).max(2000),
          usage_hint: z.string().max(1000),
          should_escape: z.boolean(),
          url: HttpsUrl.optional(),
        }),
      )
      .max(50),
    shortcuts: z
      .array(
        z.strictObject({
          type: z.enum(['global', 'message']),
          name: z.string().min(1).max(24),
          callback_id: z.string().min(1).max(255),
          description: z.string().min(1).max(150),
        }),
      )
      .max(10),
  }),
  oauth_config: z.strictObject({ scopes: z.strictObject({ bot: z.array(z.string()).max(255) }) }),
  settings: z.strictObject({
    event_subscriptions: z.strictObject({
      request_url: HttpsUrl.optional(),
      bot_events: z.array(z.string()).max(100),
    }),
    interactivity: z.strictObject({
      is_enabled: z.boolean(),
      request_url: HttpsUrl.optional(),
      message_menu_options_url: HttpsUrl.optional(),
    }),
    org_deploy_enabled: z.boolean(),
    socket_mode_enabled: z.boolean(),
    token_rotation_enabled: z.boolean(),
  }),
});

/** Why the bot needs each scope, according to the page of the method or event. */
const NEEDS = {
  'app_mentions:read': 'event app_mention',
  'channels:history': 'conversations.history, replies',
  'channels:join': 'conversations.join',
  'chat:write': 'chat.postMessage, chat.update, chat.postEphemeral',
  'chat:write.public': 'chat.postMessage where the bot is no member',
  commands: 'slash commands',
  'files:write': 'files.getUploadURLExternal, files.completeUploadExternal',
  'groups:history': 'conversations.history, replies in private channels',
  'im:history': 'conversations.history, replies in direct messages',
  'metadata.message:read': 'include_all_metadata',
  'mpim:history': 'conversations.history, replies in group messages',
  'usergroups:read': 'usergroups.list, usergroups.users.list, events subteam_*',
  'users:read': 'users.info',
};

const list = defineCommand({
  description: 'Lists',
  permission: 'deployments.read',
  ack: 'public',
  options: {},
  run: async () => {},
});
const directory = createDirectory([
  { name: 'stop', command: list },
  { name: 'list', command: list },
]);

describe('the Slack manifest', () => {
  it('the manifest for Socket Mode contains no URL', () => {
    const manifest = SlackManifest.parse(createManifest(directory));
    expect(manifest.settings.socket_mode_enabled).toBe(true);
    expect(JSON.stringify(manifest)).not.toContain('url');
    expect(manifest.features.slash_commands).toMatchObject([
      { command: '/edgegap', usage_hint: 'list | stop' },
    ]);
  });

  it('the manifest for HTTP mode sends all requests to the same URL', () => {
    const url = 'https://bot.example.com/slack/events';
    const manifest = SlackManifest.parse(createManifest(directory, 'https://bot.example.com/'));
    expect(manifest.settings).toMatchObject({
      socket_mode_enabled: false,
      event_subscriptions: { request_url: url },
      interactivity: { is_enabled: true, request_url: url },
    });
    expect(manifest.features.slash_commands).toMatchObject([{ url }]);
  });

  it('the Slack manifest has a shortcut for each action in the menu of a card, and a shortcut to deploy', async () => {
    const commands = await loadCommands(join(import.meta.dirname, '..', '..', '..', 'commands'));
    const { shortcuts } = SlackManifest.parse(createManifest(commands)).features;
    expect(shortcuts.map(({ type, name }) => `${type} ${name}`)).toEqual([
      'global Deploy a server',
      'message Deploy again',
      'message Logs',
      'message Metrics',
      'message Stop',
    ]);
  });

  it('the manifest asks for exactly the scopes that the bot uses', () => {
    expect(createManifest(directory).oauth_config.scopes.bot).toEqual(Object.keys(NEEDS));
  });

  it('npm run slack:manifest prints the manifest and refuses an address that is not HTTPS', async () => {
    const run = async (...args: string[]) =>
      await promisify(execFile)(process.execPath, ['src/adapters/slack/manifest-cli.ts', ...args]);
    const { stdout } = await run('--http', 'https://bot.example.com');
    expect(SlackManifest.parse(JSON.parse(stdout)).settings.socket_mode_enabled).toBe(false);
    for (const url of ['bot.example.com', 'http://bot.example.com'])
      await expect(run('--http', url)).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/https only.*\n\nUsage/),
      });
  });
});
