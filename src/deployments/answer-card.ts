import type { Button, Card, Field, Rich } from '../chat/card.ts';
import type { Location } from '../edgegap/schema.ts';
import { type DeploymentView, deploymentCard, duration, isLive, type PortView } from './card.ts';

/** The argument of the button "Details" is the request_id with this suffix. */
const DETAILS = '.details';

export function asksForDetails(arg: string): boolean {
  return arg.endsWith(DETAILS);
}

interface AnswerOptions {
  /** The time of the answer in epoch milliseconds. */
  readonly now: number;
  readonly details?: boolean;
  /** Whether the person pressed "Refresh". If true, the card shows the time of the check. */
  readonly isRefresh?: boolean;
  /** The address of Edgegap's dashboard. */
  readonly dashboard: string;
  /** The command that carries out the buttons "Refresh" and "Details". The default is `status`. */
  readonly refreshedBy?: string;
}

/**
 * The card that answers a person. The answer shows the content of the live card and also facts that are true only at
 * this moment. A live card leaves out these facts, because they soon become outdated. With `details`, the answer shows
 * all other data that Edgegap reports.
 */
export function answerCard(
  view: DeploymentView,
  { now, details = false, isRefresh = false, dashboard, refreshedBy = 'status' }: AnswerOptions,
): Card {
  const id = view.request_id ?? '';
  const more: Button = {
    label: 'Details',
    style: 'secondary',
    action: { command: refreshedBy, action: 'refresh', arg: id + DETAILS },
  };
  return deploymentCard(view, {
    state: playersOf(view),
    details: details ? detailsOf(view, now) : [],
    buttons: details ? [] : [more],
    isAnswer: true,
    checkedAt: isRefresh ? now : undefined,
    dashboard,
    refresh: id + (details ? DETAILS : ''),
    refreshedBy,
    ...(details ? { portText: mapping } : {}),
  });
}

/** The text ` · 7777 → 31504` (internal and external port). */
function mapping({ internal, external }: PortView): Rich {
  return internal === undefined || external === undefined ? [] : [` · ${internal} → ${external}`];
}

function playersOf(view: DeploymentView): Rich[] {
  const { sockets, sockets_usage: used } = view.told ?? {};
  if (used === undefined || !isLive(view)) return [];
  return [[`${used}${sockets === undefined ? '' : ` of ${sockets}`} players`]];
}

function detailsOf({ told }: DeploymentView, now: number): Field[] {
  const { location, max_duration, command, arguments: args } = told ?? {};
  const { administrative_division, continent } = location ?? {};
  const region = [administrative_division, continent].filter((part) => part !== undefined).join(', ');
  const rows: [string, Rich | undefined][] = [
    ['Region', region ? [region] : undefined],
    ['Local time', localTime(location, now)],
    ['Longest life', longestLife(max_duration)],
    ['Command', command === undefined ? undefined : [{ code: command }]],
    ['Arguments', args === undefined ? undefined : [{ code: args }]],
  ];
  return rows.flatMap(([label, value]) => (value ? [{ label, value }] : []));
}

function longestLife(minutes: number | undefined): Rich | undefined {
  if (minutes === undefined) return undefined;
  return [minutes > 0 ? duration(minutes * 60_000) : 'no limit'];
}

/** The local time at the server's location. Undefined if Node.js does not know the time zone. */
function localTime({ timezone }: Location | Record<string, never> = {}, now: number): Rich | undefined {
  try {
    if (timezone === undefined) return undefined;
    const clock = { hour: '2-digit', minute: '2-digit', timeZoneName: 'shortOffset' } as const;
    return [`${new Date(now).toLocaleTimeString('en-GB', { ...clock, timeZone: timezone })} (${timezone})`];
  } catch {
    return undefined;
  }
}
