import type { Attribution, Card, Line, Node, Rich } from '../chat/card.ts';
import { AppError, StoreError } from '../errors.ts';

/** Of some errors the sentence itself says that nothing came of it. */
const SAYS_SO = /\bnothing (?:more )?was\b|\bdid nothing\b/i;

/** What went wrong, as far as a person is told. */
export interface Failure {
  readonly error: unknown;
  /** By which whoever runs the bot finds it in the log. */
  readonly incident: string;
  /** Something may have been done already. */
  readonly begun: boolean;
  /** What is known of what was to be done, e.g. `Nothing was deployed.` */
  readonly effect: string | undefined;
}

/** What a person reads when something went wrong: what happened, what did not, and what to do next. */
export function errorCard(failure: Failure): Card {
  const { userMessage, hint } = inWords(failure);
  const nodes: Node[] = hint ? [{ kind: 'text', text: [hint] }] : [];
  const reference: Node = { kind: 'note', text: [`Reference ${failure.incident}`] };
  return { kind: 'card', tone: 'danger', title: [userMessage], nodes: [...nodes, reference] };
}

/** The same in the channel, where nothing else shows whose command it was. */
export function errorLine(failure: Failure, { id, name, command }: Attribution): Line {
  const { userMessage, hint } = inWords(failure);
  const why = [userMessage, hint, `(Reference ${failure.incident})`].filter(Boolean).join(' ');
  const text: Rich = [{ mention: id, name }, ': ', { code: command }, ` was not carried out: ${why}`];
  return { kind: 'line', tone: 'danger', text };
}

function inWords({ error, begun, effect }: Failure): Pick<AppError, 'userMessage' | 'hint'> {
  if (error instanceof StoreError && !begun) return error.nothingDone();
  if (error instanceof AppError) {
    const { userMessage, hint } = error;
    if (SAYS_SO.test(`${userMessage} ${hint}`)) return error;
    return { userMessage, hint: [effect, hint].filter(Boolean).join(' ') };
  }
  return {
    userMessage: 'Something went wrong on my side.',
    hint: begun
      ? 'Look with status or list before you try again: part of it may have been done.'
      : 'Nothing was done. Try again in a moment.',
  };
}
