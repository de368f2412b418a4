import type { Ask } from './schedule.ts';

/** One look of a message that everybody in the channel sees. */
export interface Look {
  readonly message: string;
  readonly text: string;
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
  /** Something was shown for it. */
  readonly answered: boolean;
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
  /** What the bot sent that the platform would not have taken. */
  violations(): readonly string[];
  close(): Promise<void>;
}
