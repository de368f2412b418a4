import { isEnding, phaseOf } from '../../src/simulator/deployment.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Ask } from './schedule.ts';

/** One look of a message that everybody in the channel sees. */
export interface Look {
  readonly message: string;
  readonly text: string;
  /** The message or the thread it was posted under; known of its first look. */
  readonly under?: string | undefined;
  /** How often the channel could not be read back by then: what may have been posted could not be looked for. */
  readonly unread: number;
}

/** One thing a person asked, and what the platform knows of it. */
export interface Asked {
  /** The id of its invocation. */
  readonly id: string;
  readonly what: string;
  readonly person: string;
  /** The tag of what it may deploy. */
  readonly deploys: string | undefined;
  /** Without it the platform itself has told the person that it came to nothing. */
  readonly acknowledged: boolean;
  /** The platform still waits for the bot to take it. */
  readonly pending: boolean;
  /** Something was shown for it. */
  readonly answered: boolean;
  /** It only looked, and can be answered no more: the platform has told the person that nothing comes. */
  readonly expired: boolean;
}

/** A chat platform as people use it, and what can be seen of it afterwards. */
export interface Chat {
  readonly environment: Readonly<Record<string, string>>;
  /** Does what was asked; resolves with one id for each invocation that this made. */
  ask(ask: Ask, number: number): void;
  /** Oldest first, edits included. */
  looks(): readonly Look[];
  asked(): readonly Asked[];
  /** What each person was told alone. */
  privately(): readonly { readonly person: string; readonly text: string }[];
  /** Breaks the line that brings what people ask, `ask`: by asking the bot to connect anew. */
  cut(how: 'drop' | 'ask'): void;
  /** How many connections get everything that people ask, where only one may. */
  receivers(): number;
  /** What the bot sent that the platform would not have taken. */
  violations(): readonly string[];
  close(): Promise<void>;
}

/** People on all of them, in turn. */
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

/** The tag of what this deploys, a command or a press. */
export function deploysOf(what: string): string | undefined {
  return what.includes('/deploy ') || isAgain(what) ? /\bask-\d+/.exec(what)?.[0] : undefined;
}

/** A press that deploys what was lost once more. */
export function isAgain(what: string): boolean {
  return what.includes(' presses Deploy again of ');
}

/** Counts, by a platform's own time, how often the channel could not be read back. */
export class Unread {
  readonly #times: number[] = [];

  note(at: number): void {
    this.#times.push(at);
  }

  until(at: number): number {
    return this.#times.filter((time) => time <= at).length;
  }
}

/** One of those that are not over yet, the newest among them most often. */
export function pickDeployment({ deployments }: Simulator, pick: number): string | undefined {
  const live = [...deployments.values()].filter((one) => !isEnding(phaseOf(one))).slice(-20);
  return live[Math.floor(Math.sqrt(pick) * live.length)]?.request_id;
}
