import { createHash } from 'node:crypto';
import type { Message } from '../chat/card.ts';
import type { Keys } from '../chat/late-answer.ts';
import type { AckMode, Adapter, Address, Invocation, InvocationRequest, MessageRef } from '../chat/port.ts';
import { sourceIn } from '../chat/request.ts';
import type { Clock } from '../clock.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';

/**
 * A person's request that the bot carries out later, possibly in another process. The request can be stored as JSON.
 */
export interface StoredRequest {
  /** The id of the request. If several attempts have this id, the bot carries out the request only once. */
  readonly id: string;
  readonly at: Address;
  readonly asker: { readonly id: string };
  readonly request: InvocationRequest;
}

/**
 * Converts a stored request to an invocation for the pipeline. The pipeline authorises, parses and resolves the request
 * again. The bot posts the answer with its own token, because the token of the original request is not stored. A public
 * answer goes to the channel, and a private answer goes to the person as a direct message.
 */
export function storedInvocation(
  { id, at, asker, request }: StoredRequest,
  { adapter, store, clock }: { readonly adapter: Adapter; readonly store: Store; readonly clock: Clock },
): Invocation {
  let mode: AckMode = 'private';
  /** The message that the next answer replaces. */
  let standing: MessageRef | undefined;
  /** Whether the bot posted a public card, or may have posted a public card. */
  let carded = false;

  /** The key has 24 characters, because Discord's nonce has at most 25 characters. */
  const keyOf = (message: string) =>
    createHash('sha256').update(`${message} ${id}`).digest('base64url').slice(0, 24);
  const keys: Keys = { card: keyOf('card'), answer: keyOf('answer'), since: clock.now() };

  const post = (message: Message, key: string, replyTo?: MessageRef) =>
    adapter.post(at, { message, key, patient: true, ...(replyTo ? { replyTo } : {}) });
  const common = { orderKey: id, urgent: true, person: asker.id, at } as const;
  const directMessage = (message: Message) =>
    transact(store, (tx) => enqueue(tx, clock, { ...common, kind: 'tell', message }));

  async function show(message: Message): Promise<void> {
    // The platform may show a card even though the request to post the card seemed to fail.
    const target = standing ?? (carded ? await adapter.findPosted(at, keys.card, keys.since) : undefined);
    if (target)
      await transact(store, (tx) => enqueue(tx, clock, { ...common, kind: 'edit', target, message }));
    else standing = await post(message, keys.answer);
  }

  return {
    id,
    adapter,
    at,
    request,
    reply: (mode) => (mode === 'public' ? { keys } : undefined),
    person: () => adapter.person(asker.id, at.workspace),
    refuse: directMessage,
    async acknowledge(given) {
      mode = given;
      if (given === 'update') standing = sourceIn(request);
    },
    respond: (message) =>
      mode === 'public' || (mode === 'update' && standing) ? show(message) : directMessage(message),
    respondPrivately: directMessage,
    async postCard(message, under) {
      carded = mode === 'public';
      const card = await post(message, keys.card, carded ? undefined : under);
      if (carded) standing = card;
      return card;
    },
  };
}
