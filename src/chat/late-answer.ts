import { DeliveryError } from '../errors.ts';
import type { Adapter, Address, LateAnswer } from './port.ts';

/** The keys of an invocation's messages, and the earliest time (epoch milliseconds) of those messages. */
export interface Keys {
  readonly card: string;
  readonly answer: string;
  readonly since: number;
}

/** Answers late with the bot's own token. If the channel cannot be read, posts `again`, which speaks of a possible repeat. */
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
 * Answers an invocation that another process received and did not finish. Does nothing if that process has answered;
 * replaces the card if that process has posted a card; posts a message otherwise. `mayLeave` is called after the search, right
 * before the edit or post.
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
