import { createHash } from 'node:crypto';
import type { Message } from '../chat/card.ts';
import type { Keys } from '../chat/late-answer.ts';
import type { AckMode, Adapter, Address, Invocation, InvocationRequest, MessageRef } from '../chat/port.ts';
import { sourceIn } from '../chat/request.ts';
import type { Clock } from '../clock.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';

/** A person's request that is carried out later, perhaps by another process. It can be stored as JSON. */
export interface StoredRequest {
  /** The request's own id. Repeated attempts with this id carry out the request only once. */
  readonly id: string;
  readonly at: Address;
  readonly asker: { readonly id: string };
  readonly request: InvocationRequest;
}

/**
 * A stored request in the form of an invocation, for the pipeline. The pipeline authorises, parses and resolves the
 * request again. The answer is posted with the bot's own token, not with the token of a platform's request. A public
 * answer goes to the channel, and a private answer is sent as a direct message.
 */
export function storedInvocation(
  { id, at, asker, request }: StoredRequest,
  { adapter, store, clock }: { readonly adapter: Adapter; readonly store: Store; readonly clock: Clock },
): Invocation {
  let mode: AckMode = 'private';
  /** The message that the next answer replaces. */
  let standing: MessageRef | undefined;
  /** Whether a public card was posted, or may have been posted. */
  let carded = false;

  /** The result is short enough for Discord's nonce, which has at most 25 characters. */
  const keyOf = (message: string) =>
    createHash('sha256').update(`${message} ${id}`).digest('base64url').slice(0, 24);
  const keys: Keys = { card: keyOf('card'), answer: keyOf('answer'), since: clock.now() };

  const post = (message: Message, key: string, replyTo?: MessageRef) =>
    adapter.post(at, { message, key, patient: true, ...(replyTo ? { replyTo } : {}) });
  const common = { orderKey: id, urgent: true, person: asker.id, at } as const;
  const directMessage = (message: Message) =>
    transact(store, (tx) => enqueue(tx, clock, { ...common, kind: 'tell', message }));

  async function show(message: Message): Promise<void> {
    // A card may be shown even though the attempt to post it seemed to fail.
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
