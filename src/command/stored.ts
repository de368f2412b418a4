import { createHash, randomBytes } from 'node:crypto';
import type { Message } from '../chat/card.ts';
import type { AckMode, Adapter, Address, Invocation, InvocationRequest, MessageRef } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';

/** What somebody asked for, to be carried out later, perhaps by another process: JSON. */
export interface StoredRequest {
  /** The request's own id: under it the request is carried out once, however often that is tried. */
  readonly id: string;
  readonly at: Address;
  readonly asker: { readonly id: string };
  readonly request: InvocationRequest;
}

/**
 * A stored request on its way into the pipeline, which authorises, parses and resolves anew. What an invocation answers
 * with the token of its platform goes through the outbox here, and is posted by the bot's own: in the channel, or to the
 * asker directly where it is private.
 */
export function storedInvocation(
  { id, at, asker, request }: StoredRequest,
  { adapter, store, clock }: { readonly adapter: Adapter; readonly store: Store; readonly clock: Clock },
): Invocation {
  let mode: AckMode = 'private';
  let answers = 0;
  /** The message that an answer replaces. */
  let standing: MessageRef | undefined;

  /** Fits Discord's nonce, of 25 characters. */
  const keyOf = (what: string) =>
    createHash('sha256').update(`${what} ${id}`).digest('base64url').slice(0, 24);

  async function deliver(message: Message, directly: boolean, key = keyOf(`answer ${++answers}`)) {
    const common = { orderKey: id, message, urgent: true, key };
    const target = standing;
    await transact(store, (tx) => {
      if (directly) return enqueue(tx, clock, { ...common, kind: 'tell', person: asker.id, at });
      if (target) return enqueue(tx, clock, { ...common, kind: 'edit', target });
      return enqueue(tx, clock, { ...common, kind: 'post', to: at });
    });
  }

  return {
    id,
    adapter,
    at,
    request,
    reply: () => undefined,
    person: () => adapter.person(asker.id, at.workspace),
    // A request that was refused may be carried out later: the key of its answer is not to be spent on the refusal.
    refuse: (message) => deliver(message, true, randomBytes(12).toString('hex')),
    async acknowledge(given) {
      mode = given;
      if (given === 'update' && request.kind !== 'command') standing = request.source;
    },
    respond: (message) => deliver(message, mode === 'private' || (mode === 'update' && !standing)),
    respondPrivately: (message) => deliver(message, true),
    async postCard(message) {
      const card = await adapter.post(at, { message, key: keyOf('card') });
      if (mode === 'public') standing = card;
      return card;
    },
  };
}
