import type { Button, Card, Field, Inline, Node, Rich, Tone } from '../chat/card.ts';
import type { DeploymentStatus, KNOWN_STATUSES } from '../edgegap/schema.ts';
import { progressOf } from './progress.ts';

/** A deployment as people see it, whether or not it was deployed from chat. All times are epoch milliseconds. */
export interface DeploymentView {
  readonly request_id: string | undefined;
  readonly application: string;
  readonly version: string;
  /**
   * Edgegap's status without the prefix `Status.`. Before Edgegap reports a status, this is one of the bot's own
   * statuses.
   */
  readonly status: string;
  readonly place: string | undefined;
  readonly fqdn: string | undefined;
  readonly public_ip: string | undefined;
  readonly ports: readonly PortView[];
  /** The deployment's tags except the tag that the bot adds. */
  readonly tags: readonly string[];
  /** More details of the order, if the deployment was deployed from chat. */
  readonly ordered?: readonly Field[];
  readonly askedBy: { readonly id: string; readonly name: string } | undefined;
  /** Whether `person` adopted the deployment after it was deployed outside chat. */
  readonly adopted?: boolean | undefined;
  readonly createdAt: number | undefined;
  readonly readyAt: number | undefined;
  readonly failedAt?: number | undefined;
  readonly endedAt: number | undefined;
  /** The time at which Edgegap will stop the server. */
  readonly endsAt?: number | undefined;
  readonly error: string | undefined;
  /** A note for the reader, for example about an action to take. */
  readonly note: string | undefined;
  /** The id of a deployment that people can deploy again from this card. Undefined if the card has no such button. */
  readonly again: string | undefined;
  /** Whether a different city may help. If true, the card offers the same order in a different city. */
  readonly elsewhere?: boolean;
  /** How long a server of this version usually takes to become ready, in milliseconds. */
  readonly usualMs?: number | undefined;
  /** Whether Edgegap answered that this deployment does not exist. If true, the shown status may be wrong. */
  readonly isDoubted?: boolean;
  /** Whether a person asked to stop the deployment. */
  readonly stopping: boolean;
  /** The last status that Edgegap reported. Undefined before the first status. */
  readonly told?: DeploymentStatus | undefined;
}

export interface PortView {
  readonly name: string;
  readonly protocol: string;
  readonly link: string;
  /** The port number inside the container, and the port number to which players connect. */
  readonly internal?: number | undefined;
  readonly external?: number | undefined;
}

/** The parts that an answer or a setting adds to a card. */
export interface Additions {
  /** Facts that the card shows after the status, on the same line. */
  readonly state?: readonly Rich[];
  /** Facts that only an answer with details shows. */
  readonly details?: readonly Field[];
  /**
   * Buttons to the right of the button "Refresh". They are shown only while Edgegap can still answer questions about
   * the server.
   */
  readonly buttons?: readonly Button[];
  /** The argument of the button "Refresh". */
  readonly refresh?: string;
  /** The command that carries out the button "Refresh". The default is `status`. */
  readonly refreshedBy?: string;
  /** Whether the card answers a person. A live card is shorter. */
  readonly isAnswer?: true;
  /** The time in epoch milliseconds at which the bot asked Edgegap because a person pressed "Refresh". */
  readonly checkedAt?: number | undefined;
  readonly portText?: (port: PortView) => Rich;
  /** See `dashboardOf`. */
  readonly dashboard?: string | undefined;
}

interface Face {
  readonly tone: Tone;
  readonly words: string;
}

/** A status from Edgegap, or the bot's own status if Edgegap has not reported a status. */
type Shown = (typeof KNOWN_STATUSES)[number] | 'REQUESTING' | 'REQUESTED' | 'UNKNOWN' | 'LOST' | 'REFUSED';

const FACES: Readonly<Record<Shown, Face>> = {
  REQUESTING: { tone: 'progress', words: 'Requesting' },
  REQUESTED: { tone: 'progress', words: 'Accepted by Edgegap' },
  INITIALIZING: { tone: 'progress', words: 'Initializing' },
  SEEKING: { tone: 'progress', words: 'Looking for a location' },
  SEEKED: { tone: 'progress', words: 'Location found' },
  SCANNING: { tone: 'progress', words: 'Scanning the image' },
  DEPLOYING: { tone: 'progress', words: 'Deploying' },
  READY: { tone: 'success', words: 'Ready' },
  TERMINATING: { tone: 'warning', words: 'Stopping' },
  TERMINATED: { tone: 'neutral', words: 'Stopped' },
  ERROR: { tone: 'danger', words: 'Failed' },
  UNKNOWN: { tone: 'warning', words: 'Outcome unknown' },
  LOST: { tone: 'warning', words: 'May have started' },
  REFUSED: { tone: 'danger', words: 'Not deployed' },
};

/** The tone and the text for a status. An unknown status is shown as Edgegap writes it. */
export function statusFace(status: string): Face {
  const face = Object.hasOwn(FACES, status) ? FACES[status as Shown] : undefined;
  return face ?? { tone: 'neutral', words: status };
}

/**
 * The card of a deployment. The card begins with the addresses to copy, followed by the state on one line and the
 * reason of a failure. All other facts follow in small print.
 */
export function deploymentCard(view: DeploymentView, more: Additions = {}): Card {
  const face = statusFace(view.status);
  const { status } = view;
  const live = isLive(view);
  const nodes: Node[] = [];
  const text = (...words: Rich) => nodes.push({ kind: 'text', text: words });
  const small = (words: readonly Rich[]) => {
    if (words.length > 0) nodes.push({ kind: 'note', text: separated(words) });
  };
  const addresses = live && status === 'READY' ? addressesOf(view, more) : [];
  if (addresses.length > 0) text(...addresses);
  text(...separated([[{ bold: face.words }, ...begun(view)], ...stateOf(view), ...(more.state ?? [])]));
  // The text comes from Edgegap, and may contain output of the container or the registry.
  if (view.error) text(view.error);
  const progress = progressOf(status);
  if (progress) nodes.push(progress);
  if (view.note) text(view.note);
  if (more.details && more.details.length > 0)
    nodes.push({ kind: 'fields', fields: more.details, columns: true });
  small(factsOf(view, more));
  small((view.ordered ?? []).map(({ label, value }) => [`${label}: `, ...value]));
  const buttons = buttonsOf(view, live, more);
  if (buttons.length > 0) nodes.push({ kind: 'buttons', buttons });
  const tone = view.isDoubted && face.tone === 'success' ? 'warning' : face.tone;
  return { kind: 'card', tone, title: titleOf(view), nodes };
}

const SEPARATOR = ' · ';

function separated(parts: readonly Rich[]): Inline[] {
  return parts.flatMap((part, index) => (index === 0 ? part : [SEPARATOR, ...part]));
}

export function isLive({ endedAt, status }: DeploymentView): boolean {
  return endedAt === undefined && status !== 'TERMINATED';
}

function titleOf(view: DeploymentView): Rich {
  return [`${view.application} ${view.version}`.trim()];
}

/** When the status began, for example `12 minutes ago`. No other part of the card shows this time. */
function begun(view: DeploymentView): Rich {
  const time = sinceOf(view);
  if (time === undefined) return [];
  const isUnderWay = statusFace(view.status).tone === 'progress';
  return [isUnderWay ? `${SEPARATOR}started ` : ' ', { time, style: 'relative' }];
}

/** The facts after the status: the duration of the start or of the run, and the step at which the server failed. */
function stateOf(view: DeploymentView): Rich[] {
  const { status, createdAt, readyAt, usualMs, told } = view;
  const ran = status === 'READY' ? undefined : ranFor(view);
  if (ran !== undefined) return [[`ran for ${duration(ran)}`]];
  if (status === 'READY' && readyAt !== undefined && createdAt !== undefined)
    return [[`started in ${duration(readyAt - createdAt)}`]];
  if (statusFace(status).tone === 'progress' && usualMs !== undefined)
    return [[`usually ready after ${duration(usualMs)}`]];
  const last = told?.last_status;
  const isStep = status === 'ERROR' && last !== undefined && last !== 'ERROR';
  return isStep ? [[`at the step “${statusFace(last).words}”`]] : [];
}

/** When the status on the card began. Undefined if the time is unknown, or if the card shows a more useful time. */
function sinceOf({ status, createdAt, readyAt, failedAt, endedAt }: DeploymentView): number | undefined {
  if (endedAt !== undefined) return endedAt;
  if (status === 'READY') return readyAt;
  if (status === 'ERROR') return failedAt;
  // If the status shows no progress, the deployment may not have started, or may have ended.
  return statusFace(status).tone === 'progress' && readyAt === undefined ? createdAt : undefined;
}

/**
 * How long a server ran, in milliseconds. The run ends when the server begins to stop, fails or ends. Edgegap's own
 * count has priority. Without this count, the result is the time from the server's start to its end. Undefined if the
 * server was never ready.
 */
export function ranFor({ status, told, readyAt, failedAt, endedAt }: DeploymentView): number | undefined {
  if (told?.current_status === status && told.elapsed_time) return told.elapsed_time * 1000;
  const end = endedAt ?? failedAt;
  return readyAt === undefined || end === undefined ? undefined : end - readyAt;
}

/** One line for each address of the server: the text to copy, followed by the port's name. */
function addressesOf({ fqdn, public_ip: ip, ports }: DeploymentView, { portText }: Additions): Inline[] {
  const lines: Rich[] = ports.map((port) => [
    { code: port.link },
    ` ${portLabel(port)}`,
    ...(portText?.(port) ?? []),
  ]);
  const host = fqdn ?? ip;
  if (lines.length === 0 && host !== undefined) lines.push([{ code: host }]);
  return lines.flatMap((line, index) => (index === 0 ? line : ['\n', ...line]));
}

function portLabel(port: PortView): string {
  return port.protocol ? `${port.name} (${port.protocol})` : port.name;
}

/** The facts in small print: location, end, IP, tags, request_id, person. */
function factsOf(view: DeploymentView, { checkedAt }: Additions): Rich[] {
  const { status, place, public_ip: ip, tags, request_id, askedBy, adopted, createdAt, endsAt } = view;
  const facts: Rich[] = [];
  if (place) facts.push([place]);
  if (endsAt !== undefined) facts.push(['ends ', { time: endsAt, style: 'until' }]);
  const isShown = view.fqdn === undefined && view.ports.length === 0;
  if (isLive(view) && status === 'READY' && ip !== undefined && !isShown) facts.push(['IP ', { code: ip }]);
  if (tags.length > 0) facts.push([`tags ${tags.join(', ')}`]);
  if (request_id) facts.push(['request_id ', { code: request_id }]);
  const deployed = adopted ? 'deployed elsewhere, adopted' : 'deployed';
  const when: Rich =
    createdAt !== undefined && sinceOf(view) === undefined
      ? [' ', { time: createdAt, style: 'relative' }]
      : [];
  if (askedBy) facts.push([`${deployed} by `, { person: askedBy.id, name: askedBy.name }, ...when]);
  else if (when.length > 0) facts.push([deployed, ...when]);
  if (isLive(view) && view.told?.whitelisting_active) facts.push(['protected by an access list']);
  if (checkedAt !== undefined) facts.push(['checked ', { time: checkedAt, style: 'relative' }]);
  return facts;
}

function buttonsOf(view: DeploymentView, live: boolean, more: Additions): Button[] {
  const { request_id: id = '', status, readyAt, again } = view;
  // After a failure, the button "Logs" comes first, because the same order would probably fail again. A server that
  // Edgegap could not place has no log, and a new order may succeed.
  const isUnplaced = status === 'ERROR' && readyAt === undefined && view.told?.last_status === 'SEEKING';
  const first = view.elsewhere ? 'elsewhere' : status === 'ERROR' ? 'show' : 'again';
  const button = (label: string, command: string, action: string, arg = id): Button => {
    // No players use a failed server, so the stop button needs no warning colour.
    const isDangerous = action === 'ask' && status !== 'ERROR';
    const isFirst = action === first && command !== 'metrics';
    const style = isDangerous ? 'danger' : isFirst ? 'primary' : 'secondary';
    return { label, style, action: { command, action, arg } };
  };
  const buttons: Button[] = [];
  const hasRun = status === 'READY' || status === 'ERROR';
  if (again !== undefined && view.elsewhere)
    buttons.push(button('Try another city', 'deploy', 'elsewhere', again));
  if (id !== '' && !isUnplaced && (live ? hasRun : again !== undefined))
    buttons.push(button('Logs', 'logs', 'show'));
  // A server that was never ready has no measurements.
  if (id !== '' && live && hasRun && readyAt !== undefined)
    buttons.push(button('Metrics', 'metrics', 'show'));
  if (again !== undefined) buttons.push(button('Deploy again', 'deploy', 'again', again));
  if (id !== '' && live) {
    if (status === 'READY') buttons.push(button('Tags', 'tags', 'show'));
    buttons.push(button('Refresh', more.refreshedBy ?? 'status', 'refresh', more.refresh));
    buttons.push(...(more.buttons ?? []));
    if (!view.stopping && status !== 'TERMINATING') buttons.push(button('Stop', 'stop', 'ask'));
  }
  if (live && status === 'READY') buttons.push(...view.ports.flatMap(pageButton));
  // A live card is short, so it links to the dashboard only if its note refers to the dashboard.
  if (more.dashboard && (more.isAnswer || status === 'UNKNOWN' || status === 'LOST'))
    buttons.push({ label: 'Dashboard', url: dashboardOf(more.dashboard, view) });
  return buttons;
}

/** A button that opens the port in the browser, if the port speaks HTTP. */
function pageButton({ name, protocol, link }: PortView): Button[] {
  const scheme = /\bHTTPS\b|TLS/i.test(protocol) ? 'https' : 'http';
  if (!/\bHTTPS?\b/i.test(protocol)) return [];
  return [{ label: `Open ${name}`, url: /^https?:/.test(link) ? link : `${scheme}://${link}` }];
}

/**
 * The dashboard's page about a deployment. The function replaces `{request_id}` in the address with the deployment's
 * id.
 */
function dashboardOf(address: string, { request_id = '' }: DeploymentView): string {
  return address.replaceAll('{request_id}', encodeURIComponent(request_id));
}

/**
 * Formats a duration in milliseconds with at most two units: `0 s`, `12 s`, `4 min 5 s`, `2 h 3 min`, `47 h`, `3 d 4
 * h`.
 */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return inUnits(minutes, 'min', seconds % 60, 's');
  if (hours < 48) return inUnits(hours, 'h', minutes % 60, 'min');
  return inUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** Formats a duration like `duration`, but leaves out the seconds if there are minutes. */
export function roughly(ms: number): string {
  return duration(ms < 60_000 ? ms : ms - (ms % 60_000));
}

function inUnits(count: number, unit: string, rest: number, smaller: string): string {
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`;
}
