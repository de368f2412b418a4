import { refusalOf } from './slack-blocks.ts';
import type { SlackMessageState } from './slack-visible.ts';
import { personToken, SLACK_TOKENS, type SlackWorld } from './slack-world.ts';

/** How many times a response_url can be used (docs.slack.dev, handling user interaction). */
const USES = 5;

export interface Ephemeral extends SlackMessageState {
  readonly ts: string;
  readonly user: string;
  readonly channel: string;
  readonly edits: number;
}

interface Ticket {
  readonly user: string;
  readonly channel: string;
  /** The message whose button was pressed. A slash command has no message to replace (bolt-js#2287). */
  readonly source: { readonly ts: string; readonly ephemeral: boolean } | undefined;
  uses: number;
  expired: boolean;
}

/** A message that became visible. If `open` is true, everyone sees the message. Otherwise only `user` sees it. */
export interface Shown {
  readonly user: string;
  readonly channel: string;
  readonly ts: string;
  readonly edited: boolean;
  readonly open: boolean;
}

export interface UrlAnswer {
  readonly status: number;
  readonly body: string;
  readonly shown?: Shown;
}

/** The response_urls of commands and presses, and the effects of posts to them. */
export class ResponseUrls {
  readonly ephemerals: Ephemeral[] = [];
  readonly #world: SlackWorld;
  readonly #tickets: Ticket[] = [];
  #ephemeralCount = 0;

  constructor(world: SlackWorld) {
    this.#world = world;
  }

  /** Returns the path of a new response_url. */
  issue(ticket: Pick<Ticket, 'user' | 'channel' | 'source'>): string {
    this.#tickets.push({ ...ticket, uses: 0, expired: false });
    return `/actions/${this.#tickets.length - 1}`;
  }

  /** Lets all response_urls expire, as after half an hour. */
  expireAll(): void {
    for (const ticket of this.#tickets) ticket.expired = true;
  }

  /** Uses up all response_urls, as after five posts. */
  useUp(): void {
    for (const ticket of this.#tickets) ticket.uses = USES;
  }

  showPrivately(message: Omit<Ephemeral, 'ts' | 'edits'>): string {
    this.#ephemeralCount += 1;
    const ts = `${Math.floor(Date.now() / 1000)}.9${String(this.#ephemeralCount).padStart(5, '0')}`;
    this.ephemerals.push({ ...message, ts, edits: 0 });
    return ts;
  }

  async post(path: string, json: string): Promise<UrlAnswer> {
    const ticket = this.#tickets[Number(path.slice('/actions/'.length))];
    if (!ticket) return refused(404, 'invalid_url');
    if (ticket.expired) return refused(404, 'expired_url');
    if (ticket.uses >= USES) return refused(404, 'used_url');
    ticket.uses += 1;
    const message = JSON.parse(json) as Message;
    const refusal = refusalOf(message.blocks, { total: false });
    if (refusal) return refused(400, `${refusal.error}: ${refusal.problems.join('; ')}`);
    if (message.replace_original && ticket.source) return await this.#replace(ticket, ticket.source, message);
    if (message.response_type === 'in_channel') return await this.#postPublicly(ticket, message);
    const { user, channel } = ticket;
    const ts = this.showPrivately({ ...contentOf(message), user, channel });
    return accepted({ user, channel, ts, edited: false, open: false });
  }

  async #replace(
    ticket: Ticket,
    source: { ts: string; ephemeral: boolean },
    message: Message,
  ): Promise<UrlAnswer> {
    const { user, channel } = ticket;
    if (source.ephemeral) {
      const index = this.ephemerals.findIndex(({ ts }) => ts === source.ts);
      const old = this.ephemerals[index];
      if (!old) return refused(404, 'message_not_found');
      this.ephemerals[index] = { ...old, ...contentOf(message), edits: old.edits + 1 };
      return accepted({ user, channel, ts: source.ts, edited: true, open: false });
    }
    const params = { channel, ts: source.ts, ...formOf(message) };
    for (const token of [SLACK_TOKENS.bot, personToken('admin')])
      if ((await this.#world.call(token, 'chat.update', params)).ok)
        return accepted({ user, channel, ts: source.ts, edited: true, open: true });
    return refused(404, 'message_not_found');
  }

  /** Slack posts the message in the person's channel, even if the bot may not post there. */
  async #postPublicly(ticket: Ticket, message: Message): Promise<UrlAnswer> {
    const params = {
      channel: ticket.channel,
      ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}),
      ...formOf(message),
    };
    const answer = await this.#world.call(personToken('admin'), 'chat.postMessage', params);
    return answer.ok
      ? accepted({ ...ticket, ts: String(answer.ts), edited: false, open: true })
      : refused(404, String(answer.error));
  }
}

interface Message {
  readonly text?: string;
  readonly blocks?: readonly unknown[];
  readonly thread_ts?: string;
  readonly response_type?: string;
  readonly replace_original?: boolean;
}

function contentOf({ text, blocks, thread_ts }: Message) {
  return { text: text ?? '', blocks: blocks ?? [], ...(thread_ts ? { thread_ts } : {}) };
}

function formOf({ text, blocks }: Message) {
  return { text: text ?? '', blocks: JSON.stringify(blocks ?? []) };
}

function refused(status: number, error: string): UrlAnswer {
  return { status, body: JSON.stringify({ ok: false, error }) };
}

function accepted(shown: Shown): UrlAnswer {
  return { status: 200, body: 'ok', shown };
}
