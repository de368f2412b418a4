import { BOT_SCOPES } from '../../src/adapters/slack/manifest.ts';
import { type Refusal, refusalOf } from './slack-blocks.ts';
import type { ResponseUrls, Shown } from './slack-response-urls.ts';
import { SlackStreams } from './slack-streams.ts';
import { SlackViews, viewProblems } from './slack-views.ts';
import { personToken, SLACK_TOKENS, type SlackWorld, type WebAnswer } from './slack-world.ts';

export interface WebRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly token: string | undefined;
}

/** A message that a request made visible or changed. */
export interface Change {
  readonly kind: 'post' | 'edit' | 'private';
  readonly channel: string;
  readonly ts: string;
  /** The `ts` of the message's thread. */
  readonly thread?: string;
  /** The only person who sees the message. */
  readonly user?: string;
  /** Whether the outbox posted the message with a key. */
  readonly keyed: boolean;
  /** The key of the message, regardless of the part of the bot that posted it. */
  readonly key?: string;
  /** The path of the `response_url` through which the message was sent. */
  readonly url?: string;
  /** The content of the message after the change. */
  readonly content: { readonly text: string; readonly blocks: readonly unknown[] };
  /** In epoch milliseconds of this machine. */
  readonly at: number;
}

/**
 * Slack's Web API. The package `emulate` gives the answers. This module adds checks that the real API makes and
 * `emulate` lacks.
 */
export class SlackWebApi {
  /** The channels in which the bot can post only as a member, as if the scope chat:write.public were missing. */
  readonly membersOnly = new Set<string>();
  /** User groups that an admin has disabled. */
  readonly disabledGroups = new Set<string>();
  /** The maximum number of members that `usergroups.list` names for a group. */
  namedMembers = Number.POSITIVE_INFINITY;
  /** Whether `users.list` always says that more members follow. */
  endlessMembers = false;
  /** The Enterprise Grid organisation of the workspace. */
  enterprise: string | undefined;
  /** The id of the app to which the bot token belongs. */
  app = 'A0EDGEGAP';
  /** Whether the token belongs to a person, even though it looks like a bot token. */
  isPerson = false;
  /** The settings of the app. */
  manifest: unknown = {};
  /** The manifests from which apps were created. */
  readonly manifests: unknown[] = [];
  /** The scopes that the app does not have. */
  readonly withoutScopes = new Set<string>();
  readonly changes: Change[] = [];
  readonly views = new SlackViews();
  readonly streams: SlackStreams;
  /** The blocks of each person's Home tab. */
  readonly homes = new Map<string, readonly unknown[]>();
  readonly edits = new Map<string, number>();
  /** The direct message channel of each person to whom the bot has written. */
  readonly directMessages = new Map<string, string>();
  /** The blocks that Slack would have refused. */
  readonly refusals: Refusal[] = [];
  readonly #world: SlackWorld;
  readonly #urls: ResponseUrls;
  readonly #origin: () => string;
  readonly #joined: Set<string>;
  readonly #read = new Map<string, { changes: number; messages: readonly StoredMessage[] }>();
  readonly #toOwnTime: (ms: number) => number;

  constructor(
    world: SlackWorld,
    urls: ResponseUrls,
    origin: () => string,
    toOwnTime: (ms: number) => number = (ms) => ms,
  ) {
    this.#toOwnTime = toOwnTime;
    this.#world = world;
    this.streams = new SlackStreams(world);
    this.#urls = urls;
    this.#origin = origin;
    this.#joined = new Set([world.channels.invited]);
  }

  async answer(given: WebRequest): Promise<WebAnswer> {
    const request = { ...given, params: this.#byId(this.#inOwnTime(given.params)) };
    const denied = this.#authorise(request);
    if (denied) return { ok: false, error: denied };
    const { method, params } = request;
    if (method === 'apps.connections.open')
      return { ok: true, url: `${this.#origin().replace('http', 'ws')}/link/?ticket=local` };
    if (method === 'apps.manifest.export') return { ok: true, manifest: this.manifest };
    if (method === 'apps.manifest.create') {
      this.manifests.push(parsed(params.manifest));
      return {
        ok: true,
        app_id: this.app,
        credentials: { signing_secret: SLACK_TOKENS.signingSecret },
        oauth_authorize_url: `https://slack.com/oauth/v2/authorize?client_id=1.2&scope=commands`,
      };
    }
    if (method === 'blocks.validate') {
      const { blocks } = parsed(params.message) as { blocks: unknown };
      const refused = refusalOf(blocks, { total: true });
      return refused
        ? { ok: false, error: refused.error, response_metadata: { messages: refused.problems } }
        : { ok: true };
    }
    if (method === 'usergroups.list') return this.#groups(params);
    if (method === 'usergroups.users.list') return this.#groupMembers(params);
    if (method === 'views.open') return this.#showView(params, (given) => this.views.take(given));
    if (method === 'views.update') return this.#showView(params, (given) => this.views.change(given));
    if (method === 'views.publish') return this.#publish(params);
    const refusal = method.startsWith('chat.')
      ? refusalOf(parsed(params.blocks), { total: true })
      : undefined;
    if (refusal) {
      this.refusals.push(refusal);
      return { ok: false, error: refusal.error, response_metadata: { messages: refusal.problems } };
    }
    if (!this.#mayUse(method, params.channel ?? '')) return { ok: false, error: 'not_in_channel' };
    const streamed = await this.streams.answer(method, params);
    if (streamed) return streamed;
    const answer = await this.#world.call(SLACK_TOKENS.bot, method, params);
    this.#note(method, params, answer);
    return this.#asSlack(method, params, answer);
  }

  #publish({ user_id = '', view = '{}' }: WebRequest['params']): WebAnswer {
    const { type, blocks } = JSON.parse(view) as { type: string; blocks: readonly unknown[] };
    const refusal = refusalOf(blocks, { total: false });
    if (refusal) this.refusals.push(refusal);
    if (type !== 'home' || refusal) return { ok: false, error: 'invalid_arguments' };
    this.homes.set(user_id, blocks);
    return { ok: true };
  }

  #showView(
    params: WebRequest['params'],
    show: (params: WebRequest['params']) => object | string,
  ): WebAnswer {
    const problems = viewProblems(params.view);
    if (problems.length > 0) {
      this.refusals.push({ error: 'invalid_blocks', problems });
      return { ok: false, error: 'invalid_arguments', response_metadata: { messages: problems } };
    }
    const shown = show(params);
    return typeof shown === 'string' ? { ok: false, error: shown } : { ok: true, view: shown };
  }

  /** Converts `oldest`, in seconds since the epoch, into this machine's time. */
  #inOwnTime({ oldest, ...params }: WebRequest['params']): WebRequest['params'] {
    if (oldest === undefined) return params;
    return { ...params, oldest: (this.#toOwnTime(Number(oldest) * 1000) / 1000).toFixed(6) };
  }

  /** Replaces the name of a public channel with its id, because chat.postMessage also accepts a name. */
  #byId(params: WebRequest['params']): WebRequest['params'] {
    return params.channel === '#game-servers' ? { ...params, channel: this.#world.channels.team } : params;
  }

  /** Slack names the token's scopes in every answer. */
  headers(): Record<string, string> {
    return { 'x-oauth-scopes': BOT_SCOPES.filter((scope) => !this.withoutScopes.has(scope)).join(',') };
  }

  #authorise({ method, token }: WebRequest): string | undefined {
    if (token === undefined) return 'not_authed';
    if (method === 'apps.connections.open')
      return token === SLACK_TOKENS.app
        ? undefined
        : token.startsWith('xapp-')
          ? 'invalid_auth'
          : 'not_allowed_token_type';
    const right = method.startsWith('apps.manifest.') ? SLACK_TOKENS.configuration : SLACK_TOKENS.bot;
    return token === right ? undefined : 'invalid_auth';
  }

  /** Only members can read a channel. If the test says so, only members can post in it, too. */
  #mayUse(method: string, channel: string): boolean {
    if (this.#joined.has(channel) || channel.startsWith('D')) return true;
    if (method === 'conversations.history' || method === 'conversations.replies') return false;
    return !(method.startsWith('chat.') && this.membersOnly.has(channel));
  }

  /** The answer contains disabled groups, members and the number of members only if the request asks for them. */
  #groups(params: Readonly<Record<string, string>>): WebAnswer {
    const usergroups = [...this.#world.members]
      .map(([id, users]) => ({
        id,
        handle: id.slice(2).toLowerCase(),
        users: [...users],
        date_delete: this.disabledGroups.has(id) ? 1 : 0,
      }))
      .filter(({ date_delete }) => date_delete === 0 || params.include_disabled === 'true')
      .map(({ users, ...group }) => ({
        ...group,
        ...(params.include_users === 'true' ? { users: users.slice(0, this.namedMembers) } : {}),
        ...(params.include_count === 'true' ? { user_count: users.length } : {}),
      }));
    return { ok: true, usergroups };
  }

  #groupMembers({ usergroup = '' }: Readonly<Record<string, string>>): WebAnswer {
    const users = this.#world.members.get(usergroup);
    return users ? { ok: true, users: [...users] } : { ok: false, error: 'no_such_subteam' };
  }

  #note(method: string, params: Readonly<Record<string, string>>, answer: WebAnswer): void {
    if (!answer.ok) return;
    const channel = String(answer.channel ?? params.channel);
    const key = /"key":"([^"]*)"/.exec(params.metadata ?? '')?.[1];
    const keyed = key !== undefined && !/^(card|answer):/.test(key);
    const content = { text: params.text ?? '', blocks: (parsed(params.blocks) ?? []) as unknown[] };
    const thread = params.thread_ts;
    const change = {
      ...{ channel, content, at: Date.now() },
      ...(key === undefined ? {} : { key }),
      ...(thread === undefined ? {} : { thread }),
    };
    if (method === 'conversations.join') this.#joined.add(params.channel ?? '');
    if (method === 'chat.postMessage' && channel !== params.channel)
      this.directMessages.set(params.channel ?? '', channel);
    if (method === 'chat.postMessage')
      this.changes.push({ ...change, kind: 'post', ts: String(answer.ts), keyed });
    if (method === 'chat.update') this.#edited({ ...change, ts: params.ts ?? '' });
    if (method === 'chat.postEphemeral') {
      const { user = '' } = params;
      const ts = this.#urls.showPrivately({
        user,
        channel,
        ...content,
        ...(thread ? { thread_ts: thread } : {}),
      });
      this.changes.push({ ...change, kind: 'private', ts, user, keyed: false });
    }
  }

  /** Records that a post to a `response_url` made a message visible. */
  answered(url: string, shown: Shown, { text = '', blocks = [] }: Partial<Change['content']>): void {
    const change = { channel: '', ts: shown.ts, url, content: { text, blocks }, at: Date.now() };
    if (shown.edited) this.#edited(change);
    else
      this.changes.push({ ...change, kind: shown.open ? 'post' : 'private', user: shown.user, keyed: false });
  }

  #edited(change: Omit<Change, 'kind' | 'keyed'>): void {
    this.edits.set(change.ts, (this.edits.get(change.ts) ?? 0) + 1);
    this.changes.push({ ...change, kind: 'edit', keyed: false });
  }

  #asSlack(method: string, params: Readonly<Record<string, string>>, answer: WebAnswer): WebAnswer {
    // A bot that is not a member cannot even see a private channel.
    if (answer.error === 'not_in_channel') return { ...answer, error: 'channel_not_found' };
    if (!answer.ok) return answer;
    if (method === 'auth.test')
      return {
        ...answer,
        app_id: this.app,
        ...(this.enterprise ? { enterprise_id: this.enterprise } : {}),
        ...(this.isPerson ? { bot_id: undefined } : {}),
      };
    if (method === 'users.list' && this.endlessMembers)
      return {
        ...answer,
        members: params.cursor === undefined ? answer.members : [],
        response_metadata: { next_cursor: 'more' },
      };
    if (method === 'users.info') {
      const user = answer.user as Record<string, unknown>;
      return { ...answer, user: { ...user, ...this.#world.facts.get(String(user.id)) } };
    }
    if (method === 'files.getUploadURLExternal')
      return {
        ...answer,
        upload_url: String(answer.upload_url).replace(/^https?:\/\/[^/]+/, this.#origin()),
      };
    if (method === 'conversations.history' || method === 'conversations.replies')
      return { ...answer, messages: readable(answer.messages as readonly StoredMessage[], params) };
    return answer;
  }

  /**
   * All messages of the channel, including threads, oldest first. A repeated call reads Slack again only after a
   * change.
   */
  async messages(channel: string, token = personToken('admin')): Promise<readonly StoredMessage[]> {
    const { changes } = this.#world;
    const key = `${token} ${channel}`;
    const known = this.#read.get(key);
    if (known?.changes === changes) return known.messages;
    const messages = await this.#messages(channel, token);
    this.#read.set(key, { changes, messages });
    return messages;
  }

  async #messages(channel: string, token: string): Promise<readonly StoredMessage[]> {
    const read = async (method: string, params: Record<string, string>) =>
      ((await this.#world.call(token, method, { channel, ...params })).messages ??
        []) as readonly StoredMessage[];
    const roots = await read('conversations.history', { limit: '1000' });
    const threads = await Promise.all(
      roots
        .filter(({ reply_count = 0 }) => reply_count > 0)
        .map(({ ts }) => read('conversations.replies', { ts })),
    );
    const all = new Map([...roots, ...threads.flat()].map((message) => [message.ts, message]));
    return [...all.values()].toSorted((a, b) => (a.ts < b.ts ? -1 : 1));
  }
}

export interface StoredMessage {
  readonly ts: string;
  readonly text?: string;
  readonly user?: string;
  readonly thread_ts?: string;
  readonly reply_count?: number;
  readonly reply_broadcast?: boolean;
  readonly blocks?: readonly unknown[];
  readonly files?: readonly { readonly id: string; readonly name: string }[];
  readonly metadata?: unknown;
}

/** `oldest` itself is excluded. The answer contains metadata only if the request asks for it. */
function readable(
  messages: readonly StoredMessage[],
  params: Readonly<Record<string, string>>,
): StoredMessage[] {
  return messages
    .filter(({ ts }) => Number(ts) > Number(params.oldest ?? 0))
    .map(({ metadata, ...message }) =>
      params.include_all_metadata === 'true' && metadata !== undefined ? { ...message, metadata } : message,
    );
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}
