import type { Card, Inline, Instant, Line, Node, Rich, Tone } from '../chat/card.ts';
import type { Address, MessageRef } from '../chat/port.ts';
import { withTyped } from '../chat/typed.ts';
import { roughly } from './card.ts';

/**
 * A stop at a later time. A person planned the stop, or the bot planned the stop for the end of a lifetime. A task
 * stores the stop as its payload. All times are epoch milliseconds.
 */
export interface PlannedStop {
  readonly id: string;
  readonly request_id: string;
  /** The application and the version. */
  readonly name: string;
  readonly at: number;
  readonly asker: { readonly id: string; readonly name: string };
  readonly place: Address;
  /** The public card, which the bot edits to show the outcome. */
  readonly card: MessageRef;
  /**
   * Whether the bot planned the stop for the end of a lifetime. If true, `card` is the deployment's live card, which
   * always shows the outcome.
   */
  readonly isLifetime?: true;
  /** See `StopOptions.logStorage`. */
  readonly logStorage?: boolean | string | undefined;
  /** The time at which a process began to carry out the stop. After this time, the stop cannot be cancelled. */
  readonly begunAt?: number;
  /** The time at which Edgegap first answered the stop with the error that the deployment does not exist. */
  readonly missedAt?: number;
  /** Set when the edit that shows the outcome on the card has been stored. */
  readonly over?: true;
}

/**
 * The public card of a planned stop, with a button that cancels the stop. `replaced` is the earlier planned stop that
 * this stop replaces.
 */
export function plannedCard(stop: PlannedStop, replaced?: PlannedStop): Card {
  const { id, request_id, name, at, asker, logStorage } = stop;
  const by: Inline = { person: asker.id, name: asker.name };
  const nodes: Node[] = [
    { kind: 'text', text: [{ bold: 'Stops' }, ' ', whenOf(at), ' · asked for by ', by] },
  ];
  if (replaced)
    nodes.push({
      kind: 'text',
      text: [`This replaces the stop that ${replaced.asker.name} planned.`],
    });
  nodes.push({ kind: 'note', text: [`Log ${logWords(logStorage)} · request_id `, { code: request_id }] });
  const action = { command: 'stop', action: 'revoke', arg: `${request_id}.${id}` };
  nodes.push({ kind: 'buttons', buttons: [{ label: 'Cancel', style: 'secondary', action }] });
  return { kind: 'card', tone: 'warning', title: [`${name} stops later`], nodes };
}

/**
 * The card before the stop is stored, or after the plan has failed. The default text remains correct even if the
 * process ends before it stores the stop.
 */
export function unplannedCard(
  { request_id, name, asker }: Pick<PlannedStop, 'request_id' | 'name' | 'asker'>,
  text = 'If this card does not change within a minute, the stop was probably not planned: look with `status`.',
): Card {
  return cardOf(request_id, 'neutral', `${asker.name} wants to stop ${name} later`, withTyped(text));
}

/** The card of a planned stop after any outcome. */
export function endedCard({ request_id, name, asker }: PlannedStop, ending: Ending): Card {
  const planned = `the stop that ${asker.name} planned`;
  switch (ending.kind) {
    case 'stopped':
      return cardOf(request_id, 'success', `Stopped ${name}`, [
        ending.once
          ? `${asker.name} planned this stop. Edgegap stops the server once it is ready or has failed.`
          : `${asker.name} planned this stop.`,
      ]);
    case 'perhaps':
      return cardOf(request_id, 'warning', `${name} has probably stopped`, [
        'Edgegap does not know the server now. Look with ',
        { typed: 'status' },
        '.',
      ]);
    case 'early':
      return cardOf(request_id, 'neutral', `${name} has already stopped`, [
        `The server ended before ${planned}.`,
      ]);
    case 'cancelled':
      return cardOf(request_id, 'neutral', `${name} is not stopped`, [`${ending.by} cancelled ${planned}.`]);
    case 'replaced':
      return cardOf(request_id, 'neutral', `${name} stops at another time`, [
        `${ending.by.asker.name} planned a stop for `,
        clock(ending.by.at),
        `, which replaces ${planned}.`,
      ]);
    case 'failed':
      return cardOf(request_id, 'danger', `${name} was not stopped`, [
        `${ending.why} This ended ${planned}.`,
        ...MAY_RUN_ON,
      ]);
  }
}

export type Ending =
  /**
   * `once` is true if the deployment is not ready yet. Edgegap will then carry out the stop as soon as the deployment
   * is ready.
   */
  | { readonly kind: 'stopped'; readonly once: boolean }
  | { readonly kind: 'perhaps' }
  | { readonly kind: 'early' }
  | { readonly kind: 'cancelled'; readonly by: string }
  | { readonly kind: 'replaced'; readonly by: PlannedStop }
  | { readonly kind: 'failed'; readonly why: string };

const MAY_RUN_ON: Rich = [
  ' The server may run on: look with ',
  { typed: 'status' },
  ', and stop it by hand.',
];

/** The line for the person who planned the stop. The line says that the deployment was not stopped. */
export function failedLine({ request_id, name, asker, isLifetime }: PlannedStop, why: string): Line {
  const text: Rich = [
    { mention: asker.id, name: asker.name },
    isLifetime ? ' the stop at the end of the lifetime of ' : ' the planned stop of ',
    { bold: name },
    ' ',
    { code: request_id },
    ` failed: ${why}`,
    ...(isLifetime ? MAY_RUN_ON : []),
  ];
  return { kind: 'line', tone: 'danger', text };
}

/** Describes the planned stop in a sentence, for an answer at the time `now`. */
export function stopsIn({ at, asker }: PlannedStop, now: number): string {
  return `Stops in ${roughly(Math.max(0, at - now))}, asked by ${asker.name}.`;
}

/** The time of a planned stop. */
export function whenOf(at: number): Instant {
  return { time: at, style: 'until' };
}

/** A text that says what Edgegap does with the deployment's log. */
export function logWords(logStorage: boolean | string | undefined): string {
  if (logStorage === undefined) return 'deleted, unless the version names a log storage';
  if (logStorage === false) return 'deleted';
  return logStorage === true ? 'kept in the log storage of the version' : `kept in ${logStorage}`;
}

function clock(time: number): Instant {
  return { time, style: 'clock' };
}

function cardOf(request_id: string, tone: Tone, title: string, text: Rich): Card {
  return {
    kind: 'card',
    tone,
    title: [title],
    nodes: [
      { kind: 'text', text },
      { kind: 'note', text: ['request_id ', { code: request_id }] },
    ],
  };
}
