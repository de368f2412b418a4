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
