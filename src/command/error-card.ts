import type { Attribution, Button, Card, Field, Line, Node, Rich } from '../chat/card.ts';
import { withTyped } from '../chat/typed.ts';
import { AppError, StoreError } from '../errors.ts';

/** Matches the text of an error that already says that nothing was done. */
const SAYS_SO = /\bnothing (?:more )?was\b|\bdid nothing\b/i;

/** The facts about a failed invocation that the message to the person contains. */
export interface Failure {
  readonly error: unknown;
  /** The reference by which the operator finds the failure in the log. */
  readonly incident: string;
  /** Whether the command had begun. If so, the bot may have carried out a part of the request. */
  readonly begun: boolean;
  /** A sentence which says whether anything was changed, for example `Nothing was deployed.` */
  readonly effect: string | undefined;
}

/** The parts of the message with which the person can correct or repeat the request. */
export interface Remedy {
  readonly button?: Button;
  /** The values that the person entered. If there is no button, the person can copy the values from the message. */
  readonly entered?: readonly Field[];
}

/**
 * The private card about a failure: the problem, the effect, the next step, a button for the next step, and the
 * reference.
 */
export function errorCard(failure: Failure, { button, entered = [] }: Remedy = {}): Card {
  const { userMessage, hint } = inWords(failure);
  const nodes: Node[] = [
    ...(hint ? [{ kind: 'text', text: withTyped(hint) } as const] : []),
    ...(entered.length > 0
      ? [{ kind: 'text', text: ['You entered:'] } as const, { kind: 'fields', fields: entered } as const]
      : []),
    ...(button ? [{ kind: 'buttons', buttons: [button] } as const] : []),
  ];
  const reference: Node = { kind: 'note', text: [`Reference ${failure.incident}`] };
  return { kind: 'card', tone: 'danger', title: [userMessage], nodes: [...nodes, reference] };
}

/**
 * The text of the error as a line for the channel. Used if no other message in the channel shows that the person's
 * command failed.
 */
export function errorLine(failure: Failure, { id, name, command }: Attribution): Line {
  const { userMessage, hint } = inWords(failure);
  const why = [userMessage, hint, `(Reference ${failure.incident})`].filter(Boolean).join(' ');
  const outcome = withTyped(` was not carried out: ${why}`);
  const text: Rich = [{ mention: id, name }, ': ', { code: command }, ...outcome];
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
      ? 'Look with `status` or `list` before you try again: part of the request may have been done.'
      : 'Nothing was done. Try again in a moment.',
  };
}
