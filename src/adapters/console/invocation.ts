import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Message } from '../../chat/card.ts';
import type {
  AckMode,
  Adapter,
  Address,
  Invocation,
  InvocationRequest,
  MessageRef,
  Person,
} from '../../chat/port.ts';
import type { Board } from './board.ts';

/**
 * The data with which a later session answers a command, if the terminal of the command was closed before the answer.
 */
export const ConsoleReply = z.object({ id: z.string(), private: z.boolean() });
type ConsoleReply = z.infer<typeof ConsoleReply>;

/** The terminal session in which an invocation takes place. */
interface Stage {
  readonly adapter: Adapter;
  readonly at: Address;
  readonly person: Person;
  readonly board: Board;
}

/**
 * An invocation from a typed line or a pressed button. A terminal cannot open forms, and sets no time limit for the
 * first response.
 */
export function createInvocation(stage: Stage, request: InvocationRequest): Invocation {
  const { adapter, at, person, board } = stage;
  const id = `console-${randomUUID()}`;
  let mode: AckMode | undefined;
  let answer: MessageRef | undefined;
  let said: Message | undefined;

  const show = async (message: Message): Promise<MessageRef> => {
    // If the new answer equals the last answer, the answer is not printed again.
    if (answer && isDeepStrictEqual(message, said)) return answer;
    said = message;
    if (answer) await board.change(answer, message);
    else answer = await board.add({ message, private: mode === 'private' });
    return answer;
  };

  const respondPrivately = async (message: Message) => void (await board.add({ message, private: true }));

  return {
    id,
    adapter,
    at,
    request,
    reply: (mode): ConsoleReply => ({ id, private: mode !== 'public' }),
    person: async () => person,
    refuse: respondPrivately,
    async acknowledge(next) {
      mode = next;
      if (next === 'update' && request.kind === 'action') answer = request.source;
    },
    async respond(message) {
      await show(message);
    },
    respondPrivately,
    postCard: (message, replyTo) =>
      mode === 'public' ? show(message) : board.add({ message, ...(replyTo ? { replyTo } : {}) }),
  };
}
