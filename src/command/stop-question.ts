import type { Button, Card, Rich } from '../chat/card.ts';
import { type DeploymentView, duration } from '../deployments/card.ts';
import { logWords, type PlannedStop, whenOf } from '../deployments/planned-stop.ts';
import { InputError } from '../errors.ts';
import type { Conversation, DeploymentActionContext, Services } from './define.ts';

/**
 * How a person wants a deployment to be stopped. By default, the bot stops the deployment immediately, and the settings
 * of the version decide whether the log is stored.
 */
export interface HowToStop {
  /** The delay between the person's answer and the stop, in milliseconds. */
  readonly inMs?: number | undefined;
  /** See `StopOptions.logStorage`. */
  readonly logStorage?: boolean | string | undefined;
}

type Asking = Pick<Services, 'clock' | 'payloads' | 'plannedStops'> &
  Pick<Conversation, 'invocationId' | 'respond'>;

/** Asks the person whether to stop the deployment. */
export async function askToStop(context: Asking, view: DeploymentView, how: HowToStop): Promise<void> {
  const { clock, payloads, plannedStops, invocationId, respond } = context;
  const { request_id = '' } = view;
  const name = `${view.application} ${view.version}`.trim();
  // The invocation's id makes each question unique. If a person asks twice, each of the two questions can be answered.
  const key = await payloads.keep({ ...how, name, request_id, invocationId });
  const arg = `${request_id}.${key}`;
  const planned = await plannedStops.of(request_id);
  const stopsAt = clock.now() + (how.inMs ?? 0);
  await respond(questionCard(view, { name, arg, how, planned, stopsAt }));
}

/**
 * Called when a person presses the button of the question. Returns how to stop the deployment. Throws InputError if the
 * question was answered or has expired. A question from an older version of the bot has no key.
 */
export async function answeredHow({
  payloads,
  action,
}: Pick<DeploymentActionContext, 'payloads' | 'action'>): Promise<
  HowToStop & { readonly name: string; readonly key: string }
> {
  const [, key = ''] = action.arg.split('.');
  if (key === '') return { name: '', key };
  const asked = await payloads.get(key);
  if (!asked) throw questionAnswered();
  return { ...(asked as HowToStop), name: String(asked.name), key };
}

export function questionAnswered(): InputError {
  return new InputError('stop-answered', 'That question was answered already.', {
    hint: 'Nothing more was stopped or planned. Use `stop` again.',
  });
}

interface Asked {
  readonly name: string;
  readonly arg: string;
  readonly how: HowToStop;
  readonly planned: PlannedStop | undefined;
  /** The time of the stop, in epoch milliseconds, if the person answers now. */
  readonly stopsAt: number;
}

function questionCard(view: DeploymentView, { name, arg, how, planned, stopsAt }: Asked): Card {
  const later = how.inMs === undefined ? undefined : `in ${duration(how.inMs)}`;
  const which: Rich = [
    ...(view.place ? [`${view.place} · `] : []),
    ...(view.status === 'READY' && view.fqdn ? [{ code: view.fqdn }, ' · '] : []),
    'request_id ',
    { code: view.request_id ?? '' },
    ` · log ${logWords(how.logStorage)}`,
  ];
  const button = (label: string, style: 'danger' | 'secondary', action: string): Button => ({
    label,
    style,
    action: { command: 'stop', action, arg },
  });
  const already = planned
    ? [
        ' ',
        { bold: 'A stop is planned already:' },
        ' ',
        whenOf(planned.at),
        `, asked for by ${planned.asker.name}.`,
      ]
    : [];
  const { endsAt = stopsAt } = view;
  const sooner: Rich =
    later && endsAt < stopsAt
      ? [' But Edgegap ends this server by itself before that: ', whenOf(endsAt), '.']
      : [];
  const buttons = [
    button(later ? `Stop it ${later}` : 'Stop it', 'danger', 'confirm'),
    button('Keep it', 'secondary', 'cancel'),
  ];
  return {
    kind: 'card',
    tone: 'warning',
    title: [`Stop ${name}${later ? ` ${later}` : ''}?`],
    nodes: [
      { kind: 'text', text: [later ? whenLater(later) : consequence(view.status), ...sooner, ...already] },
      { kind: 'note', text: which },
      { kind: 'buttons', buttons },
    ],
  };
}

function whenLater(later: string): string {
  return `Players on the server are disconnected ${later}, counted from your answer. Until then, the stop can be cancelled in the channel.`;
}

function consequence(status: string): string {
  switch (status) {
    case 'READY':
      return 'Players on the server are disconnected. A stop cannot be undone.';
    case 'ERROR':
      return 'The server is removed. A stop cannot be undone.';
    default:
      return 'The server is not ready yet: Edgegap stops it as soon as it is ready. A stop cannot be undone.';
  }
}
