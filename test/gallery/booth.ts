import type { ActionRef, Button, Message, Node } from '../../src/chat/card.ts';
import type { Form, FormValues } from '../../src/chat/form.ts';
import type { FormAbilities, InvocationRequest } from '../../src/chat/port.ts';
import { defaultCatalog, type SimulatedCatalog } from '../../src/simulator/catalog.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { startMemoryBot } from '../support/memory-bot.ts';
import { TestClock } from '../support/test-clock.ts';
import { NOW } from './sample.ts';

const MINUTE_MS = 60_000;
/** Between two steps of the event loop, the bot's clock advances by at most this many real milliseconds. */
const STEP_MS = 5;
/** Each wait for input or output takes less than this many real milliseconds. */
const SHORT_MS = 100;
/** After this many real milliseconds without an answer, the sample fails. */
const PATIENCE_MS = 50_000;

/** The platform, and the ids of its people. */
export interface Stand {
  readonly personId: string;
  readonly prompt: string;
  readonly forms: FormAbilities;
}

export type Booth = Awaited<ReturnType<typeof openBooth>>;

/**
 * The whole bot in memory, with a simulated Edgegap and a clock that the samples move. The request_ids and times are
 * the same in every run.
 */
export async function openBooth(
  { personId, prompt, forms }: Stand,
  settings: Readonly<Record<string, string>> = {},
  catalog: SimulatedCatalog = defaultCatalog,
) {
  const clock = new TestClock(NOW - 30 * MINUTE_MS);
  const simulator = await startSimulator({
    clock,
    durations: { initializing: 0, seeking: 0, seeked: 0, scanning: 0, deploying: 0, terminating: 0 },
    limits: { deploy: 1_000, status: 1_000, list: 1_000, hosts: 1_000 },
    catalog,
    measuredBeforeMs: 60 * MINUTE_MS,
  });
  const environment = {
    EDGEGAP_API_TOKEN: simulator.token,
    EDGEGAP_API_URL: simulator.url,
    DATABASE_URL: ':memory:',
    FLEETS: 'tournament',
    ...settings,
  };
  const bot = await startMemoryBot(environment, clock, { personId, prompt, forms });
  let count = 0;
  let moment = clock.now();

  /**
   * Waits until `isOver` returns true. The clock first runs at its usual speed. If the wait is long, the bot itself is
   * waiting for a time, so the clock then runs faster.
   */
  async function pass(isOver: () => boolean, awaited: string): Promise<void> {
    const began = performance.now();
    let before = began;
    while (!isOver()) {
      const now = performance.now();
      if (now - began > PATIENCE_MS) throw new Error(`Waited in vain for ${awaited}`);
      const step = Math.min(STEP_MS, Math.floor(now - before));
      if (step > 0) before = now;
      await clock.advance(now - began > SHORT_MS ? step * 20 : step);
    }
  }

  async function ended<T>(work: Promise<T>, awaited: string): Promise<T> {
    let over = false;
    const end = work.finally(() => {
      over = true;
    });
    end.catch(() => undefined);
    await pass(() => over, awaited);
    return await end;
  }

  async function answer(request: InvocationRequest, words: string): Promise<Message> {
    const shown = await message(request, words);
    if (!shown) throw new Error(`No message answers ${words}`);
    return shown;
  }

  /** The form that answers the request. If no form opens, the message that answers the request. */
  async function formOrMessage(request: InvocationRequest, words: string): Promise<Form | Message> {
    const before = bot.opened();
    const shown = await message(request, words);
    const form = bot.opened();
    if (form && form !== before) return form;
    if (!shown) throw new Error(`Nothing answers ${words}`);
    return shown;
  }

  async function message(request: InvocationRequest, words: string): Promise<Message | undefined> {
    // Each answer is given at a full minute before the gallery's present time, no matter how long the earlier answers
    // took.
    clock.set(moment - clock.now());
    const shown = await ended(bot.invoke(`sample-${++count}`, request), words);
    await ended(bot.app.settled(), words);
    return shown;
  }

  const typed = (line: string): InvocationRequest => {
    const [command = '', ...rest] = line.split(' ');
    return { kind: 'command', command, args: { kind: 'text', text: rest.join(' ') } };
  };
  const pressed = (action: ActionRef, chosen: readonly string[] = []): InvocationRequest => ({
    kind: 'action',
    action,
    chosen,
    source: undefined,
  });

  return {
    simulator,
    /** The answer to a typed line. */
    say: (line: string) => answer(typed(line), line),
    /** The answer to a press of the message's button with this label. */
    async press(message: Message, label: string): Promise<Message> {
      const button = buttonsOf(message).find((one) => one.label === label);
      if (!button || !('action' in button)) throw new Error(`There is no button ${label}`);
      return await answer(pressed(button.action), label);
    },
    /** The form or message that answers a typed line. */
    ask: (line: string) => formOrMessage(typed(line), line),
    /** The form or message that this action opens. `chosen` are the values that a person chose from a menu. */
    open: (action: ActionRef, ...chosen: readonly string[]) =>
      formOrMessage(pressed(action, chosen), action.action),
    /** The form or message that answers the submitted form. */
    submit: ({ submit, fields: all }: Form, values: FormValues) => {
      const shown = all.flatMap(({ name, initial }) => (initial === undefined ? [] : [[name, initial]]));
      const fields = { ...Object.fromEntries(shown), ...values };
      return formOrMessage({ kind: 'form', action: submit, fields, source: undefined }, submit.command);
    },
    /** Waits for a message in the channel for which `isWanted` returns true, and returns the message. */
    async posted(isWanted: (message: Message) => boolean): Promise<Message> {
      const find = () => bot.chat.messages.findLast(({ message }) => isWanted(message))?.message;
      await pass(() => find() !== undefined, 'a message in the channel');
      return find() as Message;
    },
    /** Makes a deployment without the bot, as a matchmaker would. Resolves with the request_id. */
    async deployElsewhere(application: string, version: string, tags: readonly string[] = []) {
      const body = JSON.stringify({
        application,
        version,
        tags,
        users: [{ user_type: 'geo_coordinates', user_data: { latitude: 48.9, longitude: 2.4 } }],
      });
      const headers = {
        authorization: `token ${simulator.token}`,
        'content-type': 'application/json',
      };
      const asked = fetch(`${simulator.url}/v2/deployments`, { method: 'POST', headers, body });
      const { request_id } = (await (await ended(asked, 'a deployment')).json()) as { request_id: string };
      const isReady = () => simulator.deployments.get(request_id)?.history.at(-1)?.phase === 'READY';
      await pass(isReady, 'READY');
      return request_id;
    },
    /** Moves the clock to this many minutes before the gallery's present time. */
    async until(minutes: number): Promise<void> {
      // The extra half second ensures that a difference of some milliseconds changes no age in minutes.
      moment = NOW - minutes * MINUTE_MS - (minutes > 0 ? 500 : 0);
      await clock.advance(moment - clock.now());
    },
    async close() {
      await ended(bot.stop(), 'the end of the bot');
      await simulator.close();
    },
  };
}

export function buttonsOf(message: Message): Button[] {
  const nodes: readonly Node[] = message.kind === 'card' ? message.nodes : [];
  return nodes.flatMap((node) => (node.kind === 'buttons' ? node.buttons : []));
}
