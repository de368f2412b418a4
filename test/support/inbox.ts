import type { Choice } from '../../src/chat/card.ts';
import type { Inbox, Invocation, SuggestionRequest } from '../../src/chat/port.ts';

/** An inbox with these handlers. By default it suggests nothing. */
export function inboxOf(
  invoke: (invocation: Invocation) => Promise<void>,
  suggest: (question: SuggestionRequest) => Promise<readonly Choice[]> = async () => [],
): Inbox {
  return { invoke, suggest, closed: async () => undefined };
}
