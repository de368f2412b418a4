import type { Card } from '../chat/card.ts';
import { withoutOwnTags } from '../edgegap/outside.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import { parseEdgegapTime } from '../edgegap/schema.ts';
import { InputError } from '../errors.ts';
import { enqueue } from '../notify/outbox.ts';
import { type Deployment, type DeployOrder, fromRow, type OrderDetails } from './deployment.ts';
import { insertIntent, newId } from './intent.ts';
import type { DeploymentsParts } from './known.ts';
import type { Learning } from './repository.ts';
import { locationOf } from './view.ts';

/** An order to adopt a server that was deployed outside chat. `ms` is the lifetime in milliseconds. */
export type AdoptOrder = Pick<DeployOrder, 'invocationId' | 'asker' | 'at' | 'card'> & {
  readonly ms: number;
};

/**
 * Stores a running server under the name of the person who adopts the server. `status` is a fresh answer from Edgegap.
 * If the server is already stored, shows this on the order's card and throws InputError.
 */
export async function adopt(
  { repository, clock, account, confirm }: DeploymentsParts,
  { ms, ...by }: AdoptOrder,
  status: DeploymentStatus,
  checkAt: Learning['checkAt'],
): Promise<Deployment> {
  const { app_name: application = '', app_version: version = '', request_id, error } = status;
  const since = parseEdgegapTime(status.start_time) ?? clock.now();
  const id = newId();
  const plan = { ...planOf(status), lifetime: { ms } };
  const adopting = repository.transact(async (tx) => {
    await confirm?.(tx, by.invocationId);
    const isKnown = await repository.isAnothers(tx, { id, account }, request_id);
    const intent = { ...by, id, account, application, version, plan };
    const row = isKnown ? undefined : await insertIntent(tx, intent, since);
    if (!row) throw adoptedAlready();
    // The server became ready or failed before the adoption, so the bot does not report this event as news.
    const readyAt = status.current_status === 'READY' ? since : undefined;
    const before = { ...fromRow(row), readyAt, errorAt: error ? since : undefined };
    const news = { kind: 'snapshot', status } as const;
    const after = await repository.write(tx, before, news, { source: 'asked', checkAt });
    // Another person may have adopted the server after this transaction had checked that the server was not stored.
    if (after.requestId !== request_id) throw adoptedAlready();
    return after;
  });
  return await adopting.catch(async (failure: unknown) => {
    const message = adoptionCard(status, 'Nothing was adopted. The server has a person already.');
    if (failure instanceof InputError)
      await repository.transact((tx) =>
        enqueue(tx, clock, { kind: 'edit', orderKey: id, target: by.card, message }),
      );
    throw failure;
  });
}

/**
 * Makes the person `asker` responsible for a server, after the earlier person has left. The server gets a new lifetime,
 * and the live card stays in its channel. Throws InputError if the server was already adopted, has a lifetime or has
 * ended.
 */
export async function takeOver(
  { repository, clock, confirm }: DeploymentsParts,
  { asker, ms, invocationId }: Pick<AdoptOrder, 'asker' | 'ms' | 'invocationId'>,
  known: Deployment,
  checkAt: Learning['checkAt'],
): Promise<Deployment> {
  return await repository.change([known.id], async (tx, [before]) => {
    await confirm?.(tx, invocationId);
    const isSame = before?.asker.id === known.asker.id && before.plan.lifetime === undefined;
    if (!isSame || before.phase !== 'live') throw adoptedAlready();
    const news = { kind: 'taken-over', asker, lifetime: { ms, endsAt: clock.now() + ms } } as const;
    return await repository.write(tx, before, news, { source: 'asked', checkAt });
  });
}

/** The button `Deploy again` later uses the location that is stored here. */
function planOf(status: DeploymentStatus): OrderDetails {
  const { latitude, longitude } = status.location ?? {};
  const place = locationOf(status) ?? '';
  const users = latitude === undefined || longitude === undefined ? [] : [{ latitude, longitude }];
  return { users, place, tags: withoutOwnTags(status.tags), adopted: true };
}

/**
 * The card of an adoption before the server is stored. With a different `text`, the card says that the adoption failed.
 */
export function adoptionCard(
  { request_id, app_name = '', app_version = '' }: DeploymentStatus,
  text = 'I am adopting the server. This card changes as soon as the server is adopted.',
): Card {
  return {
    kind: 'card',
    tone: 'neutral',
    title: [`${app_name} ${app_version}`.trim()],
    nodes: [
      { kind: 'text', text: [text] },
      { kind: 'fields', fields: [{ label: 'request_id', value: [{ code: request_id }] }] },
    ],
  };
}

export function adoptedAlready(): InputError {
  return new InputError('adopted-already', 'That server has a person already.', {
    hint: 'Nothing was changed. `status` shows the person and the end of the server.',
  });
}
