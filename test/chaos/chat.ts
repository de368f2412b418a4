import { isEnding, phaseOf } from '../../src/simulator/deployment.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Ask } from './schedule.ts';

/** One state of a message that everyone in the channel sees. */
export interface Look {
  readonly message: string;
  readonly text: string;
  /** The message or the thread under which the message was posted. Known only for the first state of the message. */
  readonly under?: string | undefined;
  /**
   * How many attempts to read the channel had failed in the whole run by then. After such a failure, the bot cannot
   * search for a message that may have been posted.
   */
  readonly unread: number;
}

/** A request of a person, with the facts that the platform knows about the request. */
export interface Asked {
  /** The id of the request's invocation. */
  readonly id: string;
  readonly what: string;
  readonly person: string;
  /** The tag of the deployment that the request may make. */
  readonly deploys: string | undefined;
  /** Without an acknowledgement the platform itself has told the person that the request failed. */
  readonly acknowledged: boolean;
  /** Whether the platform still waits for the bot to take the request. */
  readonly pending: boolean;
  /** Whether an answer was shown. */
  readonly answered: boolean;
  /** Whether the request only read, and was made so long ago that no answer comes any more. */
  readonly expired: boolean;
}

/** A chat platform as people use the platform, and the record of the messages afterwards. */
export interface Chat {
  readonly environment: Readonly<Record<string, string>>;
  /** Makes the request. */
  ask(ask: Ask, number: number): void;
  /** The states of all messages, the oldest first. Each edit is a state. */
  looks(): readonly Look[];
  asked(): readonly Asked[];
  /** The messages to each person alone. */
  privately(): readonly { readonly person: string; readonly text: string }[];
  /**
   * Breaks the connection over which the bot receives requests. With `ask`, the platform asks the bot to connect again.
   */
  cut(how: 'drop' | 'ask'): void;
  /** How many connections received every request of people. Only one connection may do so. */
  receivers(): number;
  /** The requests of the bot that the real platform would have refused. */
  violations(): readonly string[];
  close(): Promise<void>;
}

/** Several platforms as one. People ask on the platforms by turns. */
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

/** The tag of the deployment that a command or a press makes. */
export function deploysOf(what: string): string | undefined {
  return what.includes('/deploy ') || isAgain(what) ? /\bask-\d+/.exec(what)?.[0] : undefined;
}

/** How long Discord takes an answer, in milliseconds of its clock (developer reference, "Receiving and Responding"). */
const TOKEN_MS = 15 * 60_000;

/** Whether the request only read and is so old, in milliseconds of the bot's clock, that no answer comes any more. */
export function isExpired(what: string, age: number): boolean {
  return /asks \/(edgegap )?(list|help|status|logs)\b|presses (Refresh|Logs) /.test(what) && age > TOKEN_MS;
}

/** Whether the request is a press that deploys a lost deployment again. */
export function isAgain(what: string): boolean {
  return what.includes(' presses Deploy again of ');
}

/** Counts how often the bot could not read the channel, by the platform's own time. */
export class Unread {
  readonly #times: number[] = [];

  note(at: number): void {
    this.#times.push(at);
  }

  until(at: number): number {
    return this.#times.filter((time) => time <= at).length;
  }
}

/** Picks a deployment that has not ended. A newer deployment is picked more often. */
export function pickDeployment({ deployments }: Simulator, pick: number): string | undefined {
  const live = [...deployments.values()].filter((one) => !isEnding(phaseOf(one))).slice(-20);
  return live[Math.floor(Math.sqrt(pick) * live.length)]?.request_id;
}
