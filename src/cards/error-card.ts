import { AppError, StoreError } from '../errors.ts';
import type { Card, Node } from './card.ts';

/**
 * What a person reads when something went wrong: what happened and what to do next, and small under it the reference by
 * which whoever runs the bot finds it in the log. `begun`: whether something may have been done already.
 */
export function errorCard(error: unknown, incident: string, begun: boolean): Card {
  const { userMessage, hint } = inWords(error, begun);
  const nodes: Node[] = hint ? [{ kind: 'text', text: [hint] }] : [];
  const reference: Node = { kind: 'note', text: [`Reference ${incident}`] };
  return { kind: 'card', tone: 'danger', title: [userMessage], nodes: [...nodes, reference] };
}

function inWords(error: unknown, begun: boolean): Pick<AppError, 'userMessage' | 'hint'> {
  if (error instanceof StoreError && !begun) return error.nothingDone();
  if (error instanceof AppError) return error;
  return {
    userMessage: 'Something went wrong on my side',
    hint: begun
      ? 'Look with status or list before you try again: part of it may have been done.'
      : 'Nothing was done. Try again in a moment.',
  };
}
