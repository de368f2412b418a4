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

/** The terminal that it was typed at may be gone; whoever sits at the next one is told. */
export const Reply = z.object({ id: z.string(), private: z.boolean() });
type Reply = z.infer<typeof Reply>;

/** What an invocation shows its answers with. */
export interface Stage {
  readonly adapter: Adapter;
  readonly at: Address;
  readonly person: Person;
  add(message: Message, how: { private: boolean }): Promise<MessageRef>;
  change(ref: MessageRef, message: Message): Promise<void>;
}

/** One typed line or pressed button; a terminal opens no forms. Its answers are printed at once: a terminal has no three seconds to keep. */
export function createInvocation(stage: Stage, request: InvocationRequest): Invocation {
  const id = `console-${randomUUID()}`;
  let mode: AckMode | undefined;
  let answer: MessageRef | undefined;

  let said: Message | undefined;

  const show = async (message: Message): Promise<MessageRef> => {
    // The same answer given twice is one answer.
    if (answer && isDeepStrictEqual(message, said)) return answer;
    said = message;
    if (answer) await stage.change(answer, message);
    else answer = await stage.add(message, { private: mode === 'private' });
    return answer;
  };

  return {
    id,
    adapter: stage.adapter,
    at: stage.at,
    request,
    reply: (mode): Reply => ({ id, private: mode !== 'public' }),
    person: async () => stage.person,
    async refuse(message) {
      await stage.add(message, { private: true });
    },
    async acknowledge(next) {
      mode = next;
      if (next === 'update' && request.kind === 'action') answer = request.source;
    },
    async respond(message) {
      await show(message);
    },
    async respondPrivately(message) {
      await stage.add(message, { private: true });
    },
    postCard: (message) => (mode === 'public' ? show(message) : stage.add(message, { private: false })),
  };
}
