import { setTimeout } from 'node:timers/promises';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Persona, Values } from '../support/chat-driver.ts';
import { createSlackDriver } from '../support/slack-driver.ts';
import { signedRequest } from '../support/slack-inbound.ts';
import { eventPayload, pressPayload, slashPayload } from '../support/slack-payloads.ts';
import type { EnvelopeKind } from '../support/slack-socket.ts';
import { buttonsOf, type SlackMessageState, visibleMessage } from '../support/slack-visible.ts';
import type { Change } from '../support/slack-web-api.ts';
import { personToken } from '../support/slack-world.ts';
import { type Asked, type Chat, deploysOf, isExpired, pickDeployment, Unread } from './chat.ts';
import type { Ask, Deed } from './schedule.ts';
import type { Weather } from './weather.ts';

/**
 * Slack repeats an event that was not acknowledged: at once, after a minute and after five minutes (docs.slack.dev,
 * Events API).
 */
const RETRIES_MS = [0, 60_000, 5 * 60_000];
/**
 * The methods that change nothing. `conversations.join` counts too, because the bot joins a channel only to read it.
 */
const READS: readonly string[] = ['conversations.history', 'conversations.replies', 'conversations.join'];
/** People press buttons only on this number of newest messages. */
const IN_SIGHT = 60;

interface Said {
  readonly id: string;
  readonly what: string;
  readonly person: string;
  /** Path of the request's `response_url`. */
  readonly url: string | undefined;
  /** The message whose button was pressed. */
  readonly source: string | undefined;
  /** Epoch milliseconds of this machine. */
  readonly at: number;
  acknowledged: boolean;
  /** Whether Slack is waiting for the acknowledgement, or is about to repeat the request. */
  pending: boolean;
}

/** A Slack workspace that sends its requests by HTTP. The reverse proxy `door` chooses the process. */
export async function startSlackChat(parts: {
  readonly factor: number;
  /** The time at which the bot's clock and the machine's clock agreed, in epoch milliseconds. */
  readonly start: number;
  readonly weather: Weather;
  /** How long Slack waits for a first response, in real milliseconds. */
  readonly responseMs: number;
  readonly simulator: Simulator;
  readonly door: () => string;
}): Promise<Chat> {
  const { factor, start, weather, simulator, responseMs, door } = parts;
  const unread = new Unread();
  const driver = await createSlackDriver({
    mode: 'http',
    chance(method) {
      const fault = weather.atSlack(method);
      if (fault && fault.kind !== 'slow' && READS.includes(method)) unread.note(Date.now());
      return fault;
    },
    toOwnTime: (ms) => start + (ms - start) / factor,
  });
  const { world, web, urls, origin, ephemerals } = driver.server;
  const { team } = world.channels;
  const said: Said[] = [];

  async function deliver(one: Said, kind: EnvelopeKind, payload: object, attempt = 0): Promise<boolean> {
    const retry = attempt > 0 ? { retry: { attempt } } : {};
    try {
      const response = await fetch(`${door()}/slack/events`, {
        ...signedRequest(kind, payload, retry),
        signal: AbortSignal.timeout(responseMs),
      });
      await response.text();
      one.acknowledged ||= response.ok;
      return response.ok;
    } catch {
      return false;
    }
  }

  function note(what: string, id: string, user: string, more: Partial<Said> = {}): Said {
    const one: Said = {
      ...{ id, what, person: user, url: undefined, source: undefined, at: Date.now() },
      acknowledged: false,
      pending: true,
      ...more,
    };
    said.push(one);
    return one;
  }

  async function slash(persona: Persona, text: string, what: string): Promise<void> {
    const user = world.users[persona];
    const trigger = `trigger-${said.length}`;
    const url = urls.issue({ user, channel: team, source: undefined });
    const one = note(what, trigger, user, { url });
    await deliver(
      one,
      'slash_commands',
      slashPayload(world, { user, channel: team, text, trigger, responseUrl: `${origin}${url}` }),
    );
    one.pending = false;
  }

  async function mention(persona: Persona, text: string, what: string, again: number | null): Promise<void> {
    const user = world.users[persona];
    const id = `Ev-${said.length}`;
    const one = note(what, id, user);
    const written = `<@${world.bot.user}> ${text}`;
    const { ts } = await world.call(personToken(persona), 'chat.postMessage', {
      channel: team,
      text: written,
    });
    const event = { type: 'app_mention', user, text: written, ts, channel: team, event_ts: ts };
    const payload = eventPayload(world, event, id);
    if (again !== null)
      void setTimeout(again, undefined, { ref: false }).then(() => deliver(one, 'events_api', payload, 1));
    let taken = await deliver(one, 'events_api', payload);
    for (const [index, ms] of RETRIES_MS.entries()) {
      if (taken) break;
      await setTimeout(ms / factor, undefined, { ref: false });
      taken = await deliver(one, 'events_api', payload, index + 1);
    }
    one.pending = false;
  }

  async function press(persona: Persona, label: string, pick: number): Promise<void> {
    const user = world.users[persona];
    const open = [...new Map(everybodys().map((change) => [change.ts, change])).values()].map(stateOf);
    const alone = ephemerals.filter((message) => message.user === user && message.channel === team);
    const seen = [
      ...open.slice(-IN_SIGHT).map((message) => ({ message, ephemeral: false })),
      ...alone.slice(-IN_SIGHT / 4).map((message) => ({ message, ephemeral: true })),
    ].flatMap(({ message, ephemeral }) =>
      buttonsOf(message)
        .filter((button) => button.label === label)
        .map((button) => ({ message, ephemeral, button })),
    );
    const found = seen[Math.floor(pick * seen.length)];
    if (!found) return;
    const { message, ephemeral } = found;
    const { ts } = message;
    const trigger = `trigger-${said.length}`;
    const url = urls.issue({ user, channel: team, source: { ts, ephemeral } });
    const what = `${persona} presses ${label} of ${textOf(message).split('\n').join(' ')}`;
    const one = note(what, trigger, user, { url, source: ts });
    const pressed = { ...found, user, channel: team, trigger, responseUrl: `${origin}${url}` };
    await deliver(one, 'interactive', pressPayload(world, pressed));
    one.pending = false;
  }

  async function once({ persona, deed, againAfterMs }: Ask, number: number): Promise<void> {
    if (deed.kind === 'press') return await press(persona, deed.label, deed.pick);
    const typed = typedOf(deed, number);
    if (typed === undefined) return;
    const what = `${persona} asks /${typed}`;
    if (number % 3 === 0) await mention(persona, typed, what, againAfterMs);
    else await slash(persona, typed, what);
  }

  function typedOf(deed: Exclude<Deed, { kind: 'press' }>, number: number): string | undefined {
    const text = (name: string, values: Values) =>
      [name, ...Object.entries(values).map(([key, value]) => `--${key} ${value}`)].join(' ');
    if (deed.kind === 'command') return deed.name;
    if (deed.kind === 'deploy') {
      const { application, version } = deed;
      return text('deploy', { application, version, near: 'Montreal', tag: `ask-${number}` });
    }
    const deployment = pickDeployment(simulator, deed.pick);
    if (deployment === undefined) return undefined;
    if (deed.name === 'tags') return text('tags add', { deployment, tag: `tag-${number}` });
    return text(deed.name, { deployment });
  }

  function everybodys(): Change[] {
    return web.changes.filter(({ user, channel }) => user === undefined && channel === team);
  }

  /**
   * The private messages that were sent to a person without a `response_url` and without a key that names the request.
   */
  function asides(): { user: string; at: number }[] {
    const direct = new Map([...web.directMessages].map(([user, channel]) => [channel, user]));
    return web.changes.flatMap(({ kind, url, channel, user, at }) => {
      const reader = kind === 'edit' || url !== undefined ? undefined : (user ?? direct.get(channel));
      return reader === undefined ? [] : [{ user: reader, at }];
    });
  }

  function asked(): Asked[] {
    const left = asides();
    const urlsUsed = new Set(web.changes.map(({ url }) => url));
    const keys = new Set(web.changes.map(({ key }) => key));
    return said.map((one) => {
      const { id, what, person, url, source, at, acknowledged, pending } = one;
      const direct =
        (url !== undefined && urlsUsed.has(url)) ||
        keys.has(`card:${id}`) ||
        keys.has(`answer:${id}`) ||
        (source !== undefined && web.changes.some((change) => isEditOf(change, source, at)));
      // If the request was never acknowledged, a message about a different request does not count as its answer.
      const index =
        direct || !acknowledged ? -1 : left.findIndex((aside) => aside.user === person && aside.at >= at);
      if (index >= 0) left.splice(index, 1);
      const answered = direct || index >= 0;
      const deploys = deploysOf(what);
      const expired = isExpired(what, (Date.now() - at) * factor);
      return { id, what, person, deploys, acknowledged, pending, answered, expired };
    });
  }

  return {
    environment: {
      ...driver.environment,
      SLACK_OPERATORS: world.groups.operators,
      SLACK_READERS: world.groups.readers,
    },
    ask(ask, number) {
      for (let times = ask.double ? 2 : 1; times > 0; times--) void once(ask, number);
    },
    looks: () =>
      everybodys().map((change) => ({
        ...{ message: change.ts, text: textOf(stateOf(change)), under: change.thread },
        unread: unread.until(change.at),
      })),
    asked,
    privately: () => ephemerals.map((message) => ({ person: message.user, text: textOf(message) })),
    cut: () => undefined,
    receivers: () => 0,
    violations: () => web.refusals.map((refusal) => JSON.stringify(refusal)),
    close: () => driver.close(),
  };
}

function isEditOf({ kind, ts, at }: Change, source: string, since: number): boolean {
  return kind === 'edit' && ts === source && at >= since;
}

function stateOf({ ts, content, thread }: Change): SlackMessageState {
  return { ts, ...content, ...(thread === undefined ? {} : { thread_ts: thread }) };
}

function textOf(message: SlackMessageState): string {
  return visibleMessage(message, { edits: 0, fileContent: () => '' }).text;
}
