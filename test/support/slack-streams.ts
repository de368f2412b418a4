import type { SlackWorld, WebAnswer } from './slack-world.ts';
import { SLACK_TOKENS } from './slack-world.ts';

/** The maximum number of characters that Slack accepts in one call. */
const MOST = 12_000;

type Params = Readonly<Record<string, string>>;

/** Slack's streamed messages, to which the bot appends text. The package `emulate` lacks these methods. */
export class SlackStreams {
  /** Whether the workspace supports streamed messages. */
  available = false;
  readonly #world: SlackWorld;
  readonly #texts = new Map<string, string>();

  constructor(world: SlackWorld) {
    this.#world = world;
  }

  /** Ends all streams, like Slack after some minutes without new text. */
  expire(): void {
    this.#texts.clear();
  }

  async answer(method: string, params: Params): Promise<WebAnswer | undefined> {
    if (!/^chat\.(?:start|append|stop)Stream$/.test(method)) return undefined;
    if (!this.available) return { ok: false, error: 'unknown_method' };
    if ((params.markdown_text ?? '').length > MOST) return { ok: false, error: 'msg_too_long' };
    if (method === 'chat.startStream') return await this.#start(params);
    const before = this.#texts.get(params.ts ?? '');
    if (before === undefined) return { ok: false, error: 'message_not_in_streaming_state' };
    if (method === 'chat.stopStream') this.#texts.delete(params.ts ?? '');
    else this.#texts.set(params.ts ?? '', before + (params.markdown_text ?? ''));
    return await this.#show('chat.update', params, before + (params.markdown_text ?? ''));
  }

  async #start(params: Params): Promise<WebAnswer> {
    const { channel = '', thread_ts, recipient_user_id, recipient_team_id, markdown_text = '' } = params;
    if (!thread_ts) return { ok: false, error: 'invalid_thread_ts' };
    const isDirect = channel.startsWith('D');
    if (!isDirect && !recipient_user_id) return { ok: false, error: 'missing_recipient_user_id' };
    if (!isDirect && recipient_team_id !== this.#world.team)
      return { ok: false, error: 'missing_recipient_team_id' };
    const answer = await this.#show('chat.postMessage', { channel, thread_ts }, markdown_text);
    if (answer.ok) this.#texts.set(String(answer.ts), markdown_text);
    return answer;
  }

  #show(method: string, { channel = '', ts, thread_ts }: Params, text: string): Promise<WebAnswer> {
    const at = { ...(ts ? { ts } : {}), ...(thread_ts ? { thread_ts } : {}) };
    return this.#world.call(SLACK_TOKENS.bot, method, { channel, ...at, text });
  }
}
