import { DeliveryError } from '../errors.ts';
import type { Adapter, Address, LateAnswer } from './port.ts';

/** By which the messages of one invocation are found, and since when, in epoch milliseconds, there are any. */
export interface Keys {
  readonly card: string;
  readonly answer: string;
  readonly since: number;
}

/** Answers late by the own token of the bot; where the channel cannot be read, the answer says that it may be a repeat. */
export async function answerByKeys(
  adapter: Adapter,
  at: Address,
  { card, answer, since }: Keys,
  { message, again, mayLeave }: LateAnswer,
): Promise<void> {
  let told = message;
  const find = (key: string) =>
    adapter.findPosted(at, key, since).catch((error: unknown) => {
      if (!(error instanceof DeliveryError) || error.retryable) throw error;
      told = again;
      return undefined;
    });
  await answerLate({
    findAnswer: () => find(answer),
    findCard: () => find(card),
    mayLeave,
    edit: (posted) => adapter.edit(posted, message, answer),
    post: () => adapter.post(at, { message: told, key: answer }),
  });
}

/**
 * Where the answer to an invocation goes that another process was to answer: nowhere where that process has answered, else
 * in place of the card that it posted, else into a message of its own. `mayLeave` is asked after the search, right before
 * anything is shown.
 */
export async function answerLate<Ref>(parts: {
  readonly findAnswer: () => Promise<Ref | undefined>;
  readonly findCard: () => Promise<Ref | undefined>;
  readonly mayLeave: () => void;
  readonly edit: (card: Ref) => Promise<unknown>;
  readonly post: () => Promise<unknown>;
}): Promise<void> {
  if (await parts.findAnswer()) return;
  const card = await parts.findCard();
  parts.mayLeave();
  await (card ? parts.edit(card) : parts.post());
}
