import type { Attribution, Button, Card, Field, Line, Node, Rich } from '../chat/card.ts';
import { withTyped } from '../chat/typed.ts';
import { AppError, StoreError } from '../errors.ts';

/** Matches the texts of errors which already say that nothing was done. */
const SAYS_SO = /\bnothing (?:more )?was\b|\bdid nothing\b/i;

/** The facts about a failed invocation that the person is told. */
export interface Failure {
  readonly error: unknown;
  /** The reference by which the operator finds the failure in the log. */
  readonly incident: string;
  /** Whether the command had begun, so that part of the request may have been done. */
  readonly begun: boolean;
  /** The bot's knowledge about the wanted change, for example `Nothing was deployed.` */
  readonly effect: string | undefined;
}

/** What a person can do about a failure. */
export interface Remedy {
  readonly button?: Button;
  /** The values that the person entered, to be read and typed again if there is no button. */
  readonly entered?: readonly Field[];
}

/** The private card about a failure: the problem, the effect, the next step, a button for it, and the reference. */
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

/** The same text as a line for the channel. Used if no other message shows whose command failed. */
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
