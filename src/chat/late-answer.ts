import { DeliveryError } from '../errors.ts';
import type { Adapter, Address, LateAnswer } from './port.ts';

/**
 * The keys of the messages that answer an invocation, and the earliest time (epoch milliseconds) at which these
 * messages can have been posted.
 */
export interface Keys {
  readonly card: string;
  readonly answer: string;
  readonly since: number;
}

/**
 * Answers late with the bot's own token. If the channel cannot be read, posts `again`, which warns that the answer may
 * be a repeat.
 */
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
 * Answers an invocation that a different process received but did not finish. If that process has already answered,
 * does nothing. If a card was posted, replaces the card. Otherwise posts a message. `mayLeave` is called after the
 * search, immediately before the edit or the post.
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
