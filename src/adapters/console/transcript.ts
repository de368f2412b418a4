import { isDeepStrictEqual } from 'node:util';
import type { ActionRef, Button, CardFile, Message, Node, Select } from '../../chat/card.ts';
import type { MessageRef } from '../../chat/port.ts';

/** A message of the session, in its present state. */
export interface Shown {
  readonly ref: MessageRef;
  readonly message: Message;
  /** Whether this is an answer that other platforms would show only to the person who asked. */
  readonly private: boolean;
  readonly replyTo: MessageRef | undefined;
  /**
   * The key with which the message was posted: a key of the outbox, or the id of an invocation. Undefined for a message
   * without a key.
   */
  readonly key: string | undefined;
  /** Epoch milliseconds. */
  readonly postedAt: number;
  /** How often the message was edited after it was posted. */
  readonly edits: number;
}

/** A button. A choice of a menu counts as a button, too, and then `value` is the value of the choice. */
export type ActionButton = Extract<Button, { action: ActionRef }> & { readonly value?: string };

/** A button with its number. */
export interface NumberedButton {
  readonly number: number;
  readonly button: ActionButton;
  readonly source: MessageRef;
}

export type Transcript = ReturnType<typeof createTranscript>;

/** All messages of this session, and the numbers of their buttons. `newRef` makes the reference of the next message. */
export function createTranscript(newRef: (nth: number) => MessageRef) {
  const messages = new Map<string, Shown>();
  const keys = new Map<string, string>();
  const numbers = new Map<string, number>();
  /** The ids of the messages, in the order in which they were last printed. */
  const printed = new Set<string>();

  const nameOf = ({ label, action, value = '' }: ActionButton) =>
    [action.command, action.action, label, value].join('\n');
  // A person who types a number must always press the button that had this number on the screen. The button "Next"
  // keeps its number on every page of a list, although its argument changes. A button such as "Stop" or "Deploy" gets a
  // new number for a new target. If two buttons of a message have the same name, each gets a new number for a new
  // target, too.
  const keyOf = ({ ref, message }: Shown, button: ActionButton) => {
    const alike = actionButtons(message).filter((one) => nameOf(one) === nameOf(button));
    const isFree = alike.length === 1 && button.style === 'secondary';
    return [ref.message, nameOf(button), isFree ? '' : button.action.arg].join('\n');
  };
  const assign = (shown: Shown) => {
    const { ref, message } = shown;
    printed.delete(ref.message);
    printed.add(ref.message);
    for (const button of actionButtons(message)) {
      const key = keyOf(shown, button);
      if (!numbers.has(key)) numbers.set(key, numbers.size + 1);
    }
  };
  const buttonsIn = (shown: Shown): NumberedButton[] =>
    actionButtons(shown.message).map((button) => ({
      number: numbers.get(keyOf(shown, button)) ?? 0,
      button,
      source: shown.ref,
    }));

  return {
    get all(): readonly Shown[] {
      return [...messages.values()];
    },
    get: (ref: MessageRef) => messages.get(ref.message),
    add(entry: Omit<Shown, 'ref' | 'edits'>): Shown {
      const shown = { ...entry, ref: newRef(messages.size + 1), edits: 0 };
      messages.set(shown.ref.message, shown);
      if (shown.key !== undefined) keys.set(shown.key, shown.ref.message);
      assign(shown);
      return shown;
    },
    /** Changes a message, and returns the changed message. Undefined if `ref` names no message of this session. */
    change(ref: MessageRef, message: Message): Shown | undefined {
      const before = messages.get(ref.message);
      if (!before) return undefined;
      const isNew = !isDeepStrictEqual(before.message, message);
      const shown = isNew ? { ...before, message, edits: before.edits + 1 } : before;
      messages.set(ref.message, shown);
      assign(shown);
      return shown;
    },
    withKey: (key: string) => messages.get(keys.get(key) ?? ''),
    /** An edit of a message does not change the numbers of its buttons. */
    numberOf: (shown: Shown, button: Button) =>
      'action' in button ? numbers.get(keyOf(shown, button)) : undefined,
    /** All buttons that can be pressed now, sorted by number. */
    buttons: (): readonly NumberedButton[] =>
      [...messages.values()].flatMap(buttonsIn).toSorted((a, b) => a.number - b.number),
    /** The buttons of the card that was printed last. Empty if no card has buttons. */
    newest: (): readonly NumberedButton[] =>
      [...printed]
        .toReversed()
        .flatMap((id) => messages.get(id) ?? [])
        .map(buttonsIn)
        .find((buttons) => buttons.length > 0) ?? [],
    /** Whether any button of this session has or had this number. */
    known: (number: number) => number >= 1 && number <= numbers.size,
  };
}

function actionButtons(message: Message): ActionButton[] {
  if (message.kind !== 'card') return [];
  return message.nodes.flatMap(buttonsOf).filter((button) => 'action' in button);
}

function buttonsOf(node: Node): readonly Button[] {
  if (node.kind === 'select') return choiceButtons(node);
  return node.kind === 'buttons' ? node.buttons : [];
}

/** Turns each choice of a menu into a button, because a terminal has no menus. */
export function choiceButtons({ choices, action }: Select): readonly ActionButton[] {
  return choices.map(({ label, value }) => ({ label, style: 'secondary', action, value }));
}

/** The files that come with a message. */
export function filesOf(message: Message): readonly CardFile[] {
  return message.kind === 'card' ? (message.files ?? []) : [];
}
