import { isEnding, phaseOf } from '../../src/simulator/deployment.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Ask } from './schedule.ts';

/** One state of a message that everyone in the channel sees. */
export interface Look {
  readonly message: string;
  readonly text: string;
  /** The message or thread under which the message was posted. Only the first state of the message has this field. */
  readonly under?: string | undefined;
  /**
   * The number of failed attempts to read the channel in the run so far. After a failed attempt, the bot cannot find
   * out whether a message was posted.
   */
  readonly unread: number;
}

/** A request that a person sent, with the platform's facts about the request. */
export interface Asked {
  /** The id of the invocation for this request. */
  readonly id: string;
  readonly what: string;
  readonly person: string;
  /** The tag of the deployment that the request may create. */
  readonly deploys: string | undefined;
  /** Whether the bot acknowledged the request. If not, the platform itself tells the person that the request failed. */
  readonly acknowledged: boolean;
  /** Whether the platform is still waiting for the acknowledgement. */
  readonly pending: boolean;
  /** Whether an answer appeared. */
  readonly answered: boolean;
  /** Whether the request only read something, and is so old that no answer can come any more. */
  readonly expired: boolean;
}

/** A simulated chat platform: people send requests, and the messages can be checked afterwards. */
export interface Chat {
  readonly environment: Readonly<Record<string, string>>;
  /** Sends the request. */
  ask(ask: Ask, number: number): void;
  /** All states of all messages, oldest first. Each edit adds a state. */
  looks(): readonly Look[];
  asked(): readonly Asked[];
  /** The private messages, each with its recipient. */
  privately(): readonly { readonly person: string; readonly text: string }[];
  /**
   * Breaks the connection on which the bot receives requests. With `ask`, the platform only asks the bot to reconnect.
   */
  cut(how: 'drop' | 'ask'): void;
  /** The number of connections that receive every request. Only one connection may do so. */
  receivers(): number;
  /** The bot's requests that the real platform would have refused. */
  violations(): readonly string[];
  close(): Promise<void>;
}

/** Combines several platforms. The requests go to each platform in turn. */
export function together(chats: readonly Chat[]): Chat {
  return {
    environment: Object.assign({}, ...chats.map(({ environment }) => environment)),
    ask: (ask, number) => chats[number % chats.length]?.ask(ask, number),
    looks: () => chats.flatMap((chat) => chat.looks()),
    asked: () => chats.flatMap((chat) => chat.asked()),
    privately: () => chats.flatMap((chat) => chat.privately()),
    cut: (how) => chats.forEach((chat) => void chat.cut(how)),
    receivers: () => Math.max(...chats.map((chat) => chat.receivers())),
    violations: () => chats.flatMap((chat) => chat.violations()),
    close: async () => void (await Promise.all(chats.map((chat) => chat.close()))),
  };
}

/** The tag of the deployment that this command or press creates. */
export function deploysOf(what: string): string | undefined {
  return what.includes('/deploy ') || isAgain(what) ? /\bask-\d+/.exec(what)?.[0] : undefined;
}

/**
 * How long Discord accepts an answer, in milliseconds of its clock (developer reference, "Receiving and Responding").
 */
const TOKEN_MS = 15 * 60_000;

/**
 * Whether the request only read something, and is so old that no answer can come any more. `age` is in milliseconds of
 * the bot's clock.
 */
export function isExpired(what: string, age: number): boolean {
  return /asks \/(edgegap )?(list|help|status|logs)\b|presses (Refresh|Logs) /.test(what) && age > TOKEN_MS;
}

/** Whether the request is a press of the button that repeats a lost deploy. */
export function isAgain(what: string): boolean {
  return what.includes(' presses Deploy again of ');
}

/** Counts the failed attempts of the bot to read the channel, with the platform's time of each. */
export class Unread {
  readonly #times: number[] = [];

  note(at: number): void {
    this.#times.push(at);
  }

  until(at: number): number {
    return this.#times.filter((time) => time <= at).length;
  }
}

/** Picks a deployment that has not ended. Newer deployments are picked more often. */
export function pickDeployment({ deployments }: Simulator, pick: number): string | undefined {
  const live = [...deployments.values()].filter((one) => !isEnding(phaseOf(one))).slice(-20);
  return live[Math.floor(Math.sqrt(pick) * live.length)]?.request_id;
}
