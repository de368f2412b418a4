import type { Button, Card, Rich } from '../chat/card.ts';
import { duration } from './card.ts';
import type { Deployment } from './deployment.ts';
import type { LaterEnds } from './lifetime.ts';
import { type End, firstEnd } from './view.ts';

/** The question that the bot asks before the end of a deployment. The question mentions the person who deployed. */
export function questionCard(deployment: Deployment, end: End, later: LaterEnds): Card {
  const { asker, plan, requestId = '' } = deployment;
  const arg = `${requestId}.${end.at}`;
  const button = (label: string, style: 'primary' | 'secondary', action: string): Button[] => [
    { label, style, action: { command: 'deploy', action, arg } },
  ];
  const { extended, kept } = end.by === 'lifetime' ? later : {};
  const longer = extended === undefined ? '' : duration(extended - (plan.lifetime?.endsAt ?? 0));
  const stop = { command: 'stop', action: 'ask', arg: requestId };
  const why = end.by === 'lifetime' ? whyLifetime(later) : WHY_EDGEGAP;
  const text: Rich = [{ mention: asker.id, name: asker.name }, ', this server ends ', until(end.at), why];
  return {
    kind: 'card',
    tone: 'warning',
    title: [`${nameOf(deployment)} ends soon`],
    nodes: [
      { kind: 'text', text },
      { kind: 'note', text: ['request_id ', { code: requestId }] },
      {
        kind: 'buttons',
        buttons: [
          ...(longer ? button(`Extend by ${longer}`, 'primary', 'extend') : []),
          ...(kept === undefined ? [] : button('Keep', 'secondary', 'keep')),
          { label: 'Stop', style: 'danger', action: stop },
        ],
      },
    ],
  };
}

const WHY_EDGEGAP =
  ', because its version limits the time (max_duration in Edgegap). Edgegap then ends the server, and I cannot extend the time.';

function whyLifetime({ extended, kept }: LaterEnds): Rich[number] {
  const end = ', because its lifetime is over then. Without an answer, I stop the server then.';
  if (kept === 'never') return `${end} Keep means that I do not stop the server.`;
  if (kept !== undefined) return `${end} Keep means that the server runs as long as MAX_LIFETIME allows.`;
  return extended === undefined
    ? ', because its lifetime is over then. The lifetime cannot become longer, because MAX_LIFETIME is reached.'
    : end;
}

/** The text about the deployment's end after a person has answered the question. */
export function endText(deployment: Deployment): Rich {
  const end = firstEnd(deployment);
  if (!end) return ['I do not stop the server any more.'];
  const limit = end.by === 'edgegap' ? ', because its version limits the time (max_duration in Edgegap)' : '';
  return ['The server now ends ', until(end.at), `${limit}.`];
}

/** The card that replaces the question after an answer. */
export function answeredCard(deployment: Deployment, by: string): Card {
  const { plan, requestId = '' } = deployment;
  const done = plan.lifetime ? 'gave the server more time' : 'kept the server';
  const text: Rich = [`${by} ${done}. `, ...endText(deployment)];
  return {
    kind: 'card',
    tone: 'neutral',
    title: [`${nameOf(deployment)} runs on`],
    nodes: [
      { kind: 'text', text },
      { kind: 'note', text: ['request_id ', { code: requestId }] },
    ],
  };
}

function nameOf({ application, version }: Deployment): string {
  return `${application} ${version}`;
}

function until(time: number) {
  return { time, style: 'until' } as const;
}
