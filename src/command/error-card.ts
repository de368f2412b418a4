import type { Card, Node } from '../chat/card.ts';
import { AppError, StoreError } from '../errors.ts';

/**
 * What a person reads when something went wrong: what happened and what to do next. Of an unexpected error only the
 * incident's id is shown; the rest is in the log under it. `begun`: whether something may have been done already.
 */
export function errorCard(error: unknown, incident: string, begun: boolean): Card {
  if (!(error instanceof AppError)) {
    return {
      kind: 'card',
      tone: 'danger',
      title: ['Something went wrong on my side'],
      nodes: [
        { kind: 'text', text: ['It is in my log as incident ', { code: incident }, '.'] },
        {
          kind: 'note',
          text: [
            begun
              ? 'Look with status or list before you try again: part of it may have been done.'
              : 'Nothing was done. Try again in a moment.',
          ],
        },
      ],
    };
  }
  const { hint, userMessage } = error instanceof StoreError && !begun ? error.nothingDone() : error;
  const nodes: Node[] = hint ? [{ kind: 'text', text: [hint] }] : [];
  return { kind: 'card', tone: 'danger', title: [userMessage], nodes };
}
