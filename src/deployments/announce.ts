import type { Inline, Line, Rich, Tone } from '../chat/card.ts';
import { cutEnd, oneLine } from '../chat/text.ts';
import type { Clock } from '../clock.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { type Additions, deploymentCard, duration, ranFor } from './card.ts';
import type { Deployment } from './deployment.ts';
import type { Happening } from './state.ts';
import { viewOf } from './view.ts';

const SENTENCE_LENGTH = 200;

/**
 * How the bot learned the news: `told`: from a callback. `asked`: from a request to Edgegap. `rescued`: from a request
 * to Edgegap after an expected callback did not arrive.
 */
export type NewsSource = 'told' | 'asked' | 'rescued';

/**
 * Writes the messages about a change: an edit of the live card, and a line below the card for each event. The
 * transaction that stores the change also stores the messages.
 */
export async function announce(
  tx: Store,
  clock: Clock,
  change: {
    readonly before: Deployment;
    readonly after: Deployment;
    readonly happened: readonly Happening[];
    readonly source: NewsSource;
    readonly dashboard: string | undefined;
  },
): Promise<void> {
  const { before, after, happened, source, dashboard } = change;
  const face = (deployment: Deployment) => JSON.stringify(deploymentCard(viewOf(deployment)));
  if (face(after) !== face(before)) await drawCard(tx, clock, after, { dashboard });
  for (const happening of happened) {
    // If a person has already stopped the server, the message that the server is ready is of no use.
    if (happening === 'ready' && after.stopAskedBy !== undefined) continue;
    // The plan's card already reports all servers that the plan stops.
    if (after.stopPlan !== undefined && (happening === 'stop-asked' || happening === 'terminated')) continue;
    const failure = happening === 'error' || happening === 'lost';
    await enqueue(tx, clock, {
      kind: 'post',
      orderKey: after.id,
      to: after.at,
      under: after.card,
      urgent: failure,
      alsoToChannel: failure,
      message: lineFor(after, happening, source),
    });
  }
}

/** Stores an edit that updates the live card. */
export async function drawCard(
  tx: Store,
  clock: Clock,
  deployment: Deployment,
  additions: Additions,
): Promise<void> {
  const { id, card } = deployment;
  const message = deploymentCard(viewOf(deployment), additions);
  await enqueue(tx, clock, { kind: 'edit', orderKey: id, target: card, message });
}

function lineFor(deployment: Deployment, happening: Happening, source: NewsSource): Line {
  const asker: Inline = { mention: deployment.asker.id, name: deployment.asker.name };
  const tail: Rich =
    source === 'rescued' ? [' (found by asking: Edgegap’s callback did not arrive; check PUBLIC_URL)'] : [];
  const name = nameOf(deployment);
  const line = (tone: Tone, ...text: Rich): Line => ({
    kind: 'line',
    tone,
    text: [asker, ' ', ...name, ...text, ...tail],
  });
  switch (happening) {
    case 'ready':
      return line('success', ' is ready', ...addresses(deployment));
    case 'late-ready':
      return line('neutral', ' had become ready earlier; the news came late');
    case 'error': {
      // The text comes from Edgegap, and may contain output of the container or the registry.
      const detail = deployment.errorDetail ? [`: ${firstSentence(deployment.errorDetail)}`] : [];
      return line('danger', ' failed', ...detail);
    }
    case 'terminated':
      return line('neutral', ' stopped', ...lifetime(deployment));
    case 'still-running':
      return line('warning', ' is still running after all');
    case 'not-stopped':
      return line(
        'warning',
        ' still runs: Edgegap accepted the stop and did not carry it out. ',
        deployment.plan.lifetime?.unheeded
          ? 'Its lifetime is over, so I stop the server again.'
          : 'Stop the server again.',
      );
    case 'adopted':
      return line('warning', ' did start after all');
    case 'lost':
      return line(
        'warning',
        ' may have started, but Edgegap neither answered nor lists the server. I do not send the request again.',
      );
    case 'stop-asked': {
      if (deployment.plan.lifetime?.isOver)
        return {
          kind: 'line',
          tone: 'neutral',
          text: ['I stop ', ...name, ', because its lifetime has ended'],
        };
      // The line does not mention the person who asked for the stop, because this person already knows.
      const text = [`${deployment.stopAskedBy ?? 'Someone'} asked to stop `, ...name];
      return { kind: 'line', tone: 'neutral', text };
    }
  }
}

function nameOf({ application, version, requestId }: Deployment): Inline[] {
  return [{ bold: `${application} ${version}` }, ...(requestId ? [' ', { code: requestId } as const] : [])];
}

function addresses(deployment: Deployment): Inline[] {
  const { ports, fqdn } = viewOf(deployment);
  const links = ports.length > 0 ? ports.map((port) => port.link) : fqdn ? [fqdn] : [];
  return links.flatMap((link, index) => [index === 0 ? ': ' : ' · ', { code: link }]);
}

function lifetime(deployment: Deployment): string[] {
  const ran = ranFor(viewOf(deployment));
  if (ran === undefined) return [];
  const { snapshot, stopAskedBy, endedAt } = deployment;
  const most = (snapshot?.max_duration ?? -1) * 60_000;
  // The comparison allows a difference of one second, because Edgegap counts in whole seconds.
  const byItself = endedAt !== undefined && stopAskedBy === undefined && most > 0 && ran >= most - 1_000;
  return [` after ${duration(ran)}`, ...(byItself ? [', the longest duration that its version allows'] : [])];
}

/** Returns the first sentence of the text on a single line. The card shows the whole text. */
function firstSentence(text: string): string {
  const line = oneLine(text);
  const sentence = /^.{20,}?[.!?](?=\s|$)/.exec(line)?.[0] ?? line;
  return cutEnd(sentence, SENTENCE_LENGTH);
}
