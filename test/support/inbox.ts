import type { Choice } from '../../src/chat/card.ts';
import type { Inbox, Invocation, Question } from '../../src/chat/port.ts';

/** An inbox with handlers written by hand; nothing is suggested unless told. */
export function inboxOf(
  invoke: (invocation: Invocation) => Promise<void>,
  suggest: (question: Question) => Promise<readonly Choice[]> = async () => [],
): Inbox {
  return { invoke, suggest };
}
