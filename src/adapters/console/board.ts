import type { CardFile, Message } from '../../chat/card.ts';
import type { MessageRef } from '../../chat/port.ts';
import type { Clock } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';
import { renderMessage } from './render.ts';
import type { Screen } from './screen.ts';
import { filesOf, type Shown, type Transcript } from './transcript.ts';

export interface BoardOptions {
  readonly transcript: Transcript;
  readonly clock: Clock;
  readonly color: boolean;
  readonly timeZone?: string;
  /** The present width of the window. Undefined: do not fold lines. */
  columns(): number | undefined;
  /** A function, because a prompt replaces the plain screen later. */
  screen(): Screen;
  saveFile(file: CardFile): Promise<string>;
}

type NewMessage = Pick<Shown, 'message'> & Partial<Pick<Shown, 'private' | 'replyTo' | 'key'>>;

export type Board = ReturnType<typeof createBoard>;

/** Prints messages as they are posted and as they change. */
export function createBoard(options: BoardOptions) {
  const { transcript, clock } = options;
  const places = new WeakMap<CardFile, string>();

  const save = async (message: Message) => {
    for (const file of filesOf(message)) {
      try {
        places.set(file, await options.saveFile(file));
      } catch (cause) {
        throw new DeliveryError('console-file', `I could not save the file ${file.name}.`, {
          hint: 'Make room in the temporary folder, then ask again.',
          cause,
          outcome: 'not-sent',
          retryable: false,
        });
      }
    }
  };
  const print = (shown: Shown) => {
    const marks = [shown.edits > 0 ? 'edited' : '', shown.private ? 'only you see this' : ''];
    const lines = renderMessage(shown.message, {
      color: options.color,
      columns: options.columns(),
      now: clock.now(),
      timeZone: options.timeZone,
      numberOf: (button) => transcript.numberOf(shown, button),
      placeOf: (file) => places.get(file) ?? '',
      mark: marks.filter((text) => text !== '').join(', '),
      reply: shown.replyTo !== undefined,
    });
    options.screen().print(lines, shown.replyTo ? 'reply' : 'block');
  };

  return {
    async add({ message, private: hidden = false, replyTo, key }: NewMessage): Promise<MessageRef> {
      await save(message);
      const shown = transcript.add({ message, private: hidden, replyTo, key, postedAt: clock.now() });
      print(shown);
      return shown.ref;
    },
    /** Prints the message in its new state. Throws DeliveryError for a message of an earlier session. */
    async change(ref: MessageRef, message: Message): Promise<void> {
      if (transcript.get(ref)) await save(message);
      const change = transcript.change(ref, message);
      const sentence = 'The message belongs to an earlier session of this terminal, so I cannot change it.';
      if (!change)
        throw new DeliveryError('console-gone', sentence, { outcome: 'not-sent', retryable: false });
      // An edit without a change is printed, too, because the person has then asked to see the message again.
      print(change);
    },
  };
}
