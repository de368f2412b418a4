import { createEmulator } from 'emulate';
import { BOT_SCOPES } from '../../src/adapters/slack/manifest.ts';
import { type Group, type Persona, personas } from './chat-driver.ts';

export const SLACK_TOKENS = {
  bot: 'xoxb-1000000001-2000000002-localbottoken',
  app: 'xapp-1-A0EDGEGAP-3000000003-localapptoken',
  configuration: 'xoxe.xoxp-1-localconfigurationtoken',
  signingSecret: '8f742231b10e8888abcd99yyyzzz85a5',
} as const;

/** A workspace with one person of each type. The workspace exists in the Slack of the package `emulate`. */
export interface SlackWorld {
  readonly team: string;
  readonly bot: { readonly user: string; readonly id: string };
  readonly users: Readonly<Record<Persona, string>>;
  /** The user groups that SLACK_OPERATORS and SLACK_READERS can name. */
  readonly groups: Readonly<Record<Group, string>>;
  readonly channels: {
    /** A public channel. The bot is not a member. */
    readonly team: string;
    /** A private channel. The bot is a member. */
    readonly invited: string;
    /** A private channel. The bot is not a member. */
    readonly secret: string;
  };
  /** The fields that users.info adds to the fields of `emulate`. */
  readonly facts: Map<string, Readonly<Record<string, unknown>>>;
  readonly members: Map<string, Set<string>>;
  /** Calls the Web API with this token, without the checks of `slack-web-api.ts`. */
  call(token: string, method: string, params: Readonly<Record<string, string>>): Promise<WebAnswer>;
  /** The number of calls so far that possibly changed something. */
  readonly changes: number;
  readonly url: string;
  close(): Promise<void>;
}

export interface WebAnswer {
  readonly ok: boolean;
  readonly error?: string;
  readonly [key: string]: unknown;
}

const BOT = { user: 'U0EDGEGAPBOT', id: 'B0EDGEGAP' };
const GROUPS = { operators: 'S0OPERATORS', readers: 'S0READERS' } as const;
const PERSON_SCOPES = [
  'chat:write',
  'channels:history',
  'groups:history',
  'groups:write',
  'groups:read',
  'channels:read',
  'users:read',
];

const READING = /\.(?:history|info|list|replies|test)$/;

/** The token for calls that a person makes. */
export function personToken(persona: Persona): string {
  return `xoxp-${persona}`;
}

export async function createSlackWorld(): Promise<SlackWorld> {
  const seed = {
    team: { name: 'Kart Studio', domain: 'kart-studio' },
    users: personas.map((name) => ({ name, real_name: `The ${name}`, is_admin: name === 'admin' })),
    channels: [
      { name: 'game-servers' },
      { name: 'invited', is_private: true },
      { name: 'secret', is_private: true },
    ],
    oauth_apps: [
      {
        app_id: 'A0EDGEGAP',
        client_id: '1.2',
        client_secret: 'local',
        name: 'Edgegap',
        redirect_uris: [],
        scopes: [...BOT_SCOPES],
        bot_id: BOT.id,
        bot_user_id: BOT.user,
        bot_name: 'edgegap',
      },
    ],
    tokens: [
      { token: SLACK_TOKENS.bot, type: 'bot', user: BOT.user, bot_id: BOT.id, scopes: [...BOT_SCOPES] },
      ...personas.map((name) => ({
        token: personToken(name),
        type: 'user',
        user: name,
        scopes: PERSON_SCOPES,
      })),
    ],
    strict_scopes: true,
  };
  const emulator = await createEmulator({ service: 'slack', port: 0, seed: { slack: seed } });
  const url = emulator.url.replace('localhost', '127.0.0.1');
  let changes = 0;

  async function call(
    token: string,
    method: string,
    params: Readonly<Record<string, string>>,
  ): Promise<WebAnswer> {
    const response = await fetch(`${url}/api/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: new URLSearchParams(params),
    });
    // `emulate` accepts 5,000 calls an hour with each token. Further calls get an HTTP error status. Slack's own
    // refusals have no error status.
    if (!response.ok)
      throw new Error(`The local Slack answered HTTP ${response.status}: ${await response.text()}`);
    const answer = (await response.json()) as WebAnswer;
    if (!READING.test(method)) changes += 1;
    return answer;
  }

  const admin = personToken('admin');
  const everyone = await named(call(admin, 'users.list', {}), 'members');
  const rooms = await named(
    call(admin, 'conversations.list', { types: 'public_channel,private_channel' }),
    'channels',
  );
  const users = Object.fromEntries(personas.map((name) => [name, idOf(everyone, name)])) as Record<
    Persona,
    string
  >;
  const channels = {
    team: idOf(rooms, 'game-servers'),
    invited: idOf(rooms, 'invited'),
    secret: idOf(rooms, 'secret'),
  };
  const invitation = await call(admin, 'conversations.invite', {
    channel: channels.invited,
    users: BOT.user,
  });
  if (!invitation.ok) throw new Error(`The local Slack did not invite the bot: ${invitation.error}`);
  return {
    team: String((await call(SLACK_TOKENS.bot, 'auth.test', {})).team_id),
    bot: BOT,
    users,
    groups: GROUPS,
    channels,
    get changes() {
      return changes;
    },
    facts: new Map([
      [users.stranger, { team_id: 'T0ELSEWHERE', is_stranger: true }],
      [users.elsewhere, { team_id: 'T0PARTNER' }],
      [users.guest, { is_restricted: true }],
      [users.admin, { is_admin: true }],
    ]),
    members: new Map([
      [GROUPS.operators, new Set([users.operator])],
      [GROUPS.readers, new Set([users.reader])],
    ]),
    call,
    url,
    close: () => emulator.close(),
  };
}

type Named = readonly { readonly id: string; readonly name: string }[];

async function named(answer: Promise<WebAnswer>, list: string): Promise<Named> {
  const body = await answer;
  if (!body.ok) throw new Error(`The local Slack answers ${body.error}`);
  return body[list] as Named;
}

function idOf(list: Named, name: string): string {
  const id = list.find((item) => item.name === name)?.id;
  if (!id) throw new Error(`The local Slack has no ${name}`);
  return id;
}
