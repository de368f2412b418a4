/*
 * Carries out `logs --follow`, which shows the new lines of a log as they appear. Also contains the button that stops
 * this display.
 */
import type { DeploymentTarget } from '../deployments/deployment.ts';
import { InputError } from '../errors.ts';
import type { LinePattern } from '../log/pattern.ts';
import { followCard } from '../tail/cards.ts';
import type { Action, Context } from './define.ts';

const DEFAULT_MS = 10 * 60_000;
const DEFAULT_LINES = 10;

export interface FollowRequest {
  readonly for?: number | undefined;
  readonly lines?: number | undefined;
  readonly grep?: LinePattern | undefined;
  readonly invert?: boolean | undefined;
}

/**
 * Begins to show the new lines of a log in the channel. If the deployment's card is in this channel, the lines appear
 * below the card.
 */
export async function follow(
  { asker, clock, followers, invocationId, postCard, respond }: Context<unknown>,
  { request_id, known, seen }: DeploymentTarget,
  { for: ms = DEFAULT_MS, lines = DEFAULT_LINES, grep, invert }: FollowRequest,
): Promise<void> {
  const status = known ? known.status : seen?.current_status;
  if (known?.endedAt !== undefined || status === 'TERMINATED' || status === 'ERROR') throw ended(request_id);
  await followers.check(request_id, asker.at);
  const { id, name, at } = asker;
  const until = clock.now() + ms;
  const order = { request_id, asker: { id, name }, lines, source: grep?.source, invert, until };
  const isHere = known?.card.workspace === at.workspace && known.card.channel === at.channel;
  const card = await postCard(followCard(order), isHere ? known.card : undefined);
  await followers.start(order, card, invocationId);
  const where = isHere ? 'under the card of the server' : 'in this channel';
  await respond({ kind: 'line', tone: 'success', text: [`I show the new lines of the log ${where}.`] });
}

/** The button which ends the display of new log lines. */
export const unfollow = {
  permission: 'deployments.read',
  ack: 'private',
  async run({ action, asker, followers, respond }) {
    const isStopped = await followers.stop(action.arg, asker.at, asker.name);
    if (!isStopped)
      throw new InputError('not-followed', 'I do not follow this log here any more.', {
        hint: 'To follow the log again, use `logs` with `--follow`.',
      });
    await respond({ kind: 'line', tone: 'success', text: ['I stopped following the log.'] });
  },
} as const satisfies Action;

function ended(request_id: string): InputError {
  return new InputError('follow-ended', 'The server has ended, so its log has no new lines.', {
    hint: `\`logs ${request_id}\` shows the last lines, if they still exist.`,
  });
}
