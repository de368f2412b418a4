import type { Button, Card, Field, Inline, Node, Rich, Tone } from '../chat/card.ts';
import type { DeploymentStatus, KNOWN_STATUSES } from '../edgegap/schema.ts';
import { progressOf } from './progress.ts';

/**
 * A deployment as it is shown to people, whether it was deployed from chat or not. All times are epoch milliseconds.
 */
export interface DeploymentView {
  readonly request_id: string | undefined;
  readonly application: string;
  readonly version: string;
  /**
   * Edgegap's status without the prefix `Status.`, or the bot's own word as long as Edgegap has not reported a status.
   */
  readonly status: string;
  readonly place: string | undefined;
  readonly fqdn: string | undefined;
  readonly public_ip: string | undefined;
  readonly ports: readonly PortView[];
  /** The tags without the bot's own tag. */
  readonly tags: readonly string[];
  /** Further parts of the order, if the deployment was deployed from chat. */
  readonly ordered?: readonly Field[];
  readonly askedBy: { readonly id: string; readonly name: string } | undefined;
  /** Whether this person adopted the deployment, which was deployed elsewhere. */
  readonly adopted?: boolean | undefined;
  readonly createdAt: number | undefined;
  readonly readyAt: number | undefined;
  readonly failedAt?: number | undefined;
  readonly endedAt: number | undefined;
  /** The time at which Edgegap stops the server by itself. */
  readonly endsAt?: number | undefined;
  readonly error: string | undefined;
  /** A remark that the reader should know or act on. */
  readonly note: string | undefined;
  /**
   * The id of a deployment that a person may order again from this card. Undefined if the card offers no such button.
   */
  readonly again: string | undefined;
  /** Whether the card offers another city for the same order, because another city may have room. */
  readonly elsewhere?: boolean;
  /** How long this version usually takes until the server is ready, in milliseconds. */
  readonly usualMs?: number | undefined;
  /** Whether the status may be wrong, because Edgegap said that there is no such deployment. */
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

/** The parts that an answer or a setting adds to the card. */
export interface Additions {
  /** Facts that follow the status on its line. */
  readonly state?: readonly Rich[];
  /** Facts that only an answer with details shows. */
  readonly details?: readonly Field[];
  /** Buttons that follow Refresh. They are shown as long as Edgegap can still be asked about the server. */
  readonly buttons?: readonly Button[];
  /** The argument of the button Refresh. */
  readonly refresh?: string;
  /** The command that carries out the button Refresh. `status` if absent. */
  readonly refreshedBy?: string;
  /** Whether the card answers a person. A live card stays shorter. */
  readonly isAnswer?: true;
  /** The time at which the bot looked because a person pressed Refresh, in epoch milliseconds. */
  readonly checkedAt?: number | undefined;
  readonly portText?: (port: PortView) => Rich;
  /** See `dashboardOf`. */
  readonly dashboard?: string | undefined;
}

interface Face {
  readonly tone: Tone;
  readonly words: string;
}

/** A status of Edgegap, or the bot's own word where Edgegap has reported no status. */
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

/**
 * The tone and the words in which a status is shown. A status that the bot does not know is shown as Edgegap writes the
 * status.
 */
export function statusFace(status: string): Face {
  const face = Object.hasOwn(FACES, status) ? FACES[status as Shown] : undefined;
  return face ?? { tone: 'neutral', words: status };
}

/**
 * The card of a deployment. The addresses to copy come first, then the state in one line, then the reason of a failure.
 * The other facts follow in small print.
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
  // The text comes from Edgegap, and may quote the container or the registry.
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

/** When the status began, such as `12 minutes ago`. The card shows this time only here. */
function begun(view: DeploymentView): Rich {
  const time = sinceOf(view);
  if (time === undefined) return [];
  const isUnderWay = statusFace(view.status).tone === 'progress';
  return [isUnderWay ? `${SEPARATOR}started ` : ' ', { time, style: 'relative' }];
}

/** The facts that follow the status: how long the server took or ran, and the step at which it failed. */
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

/** When the status that the card shows began. Undefined if this is unknown, or if a later time says more. */
function sinceOf({ status, createdAt, readyAt, failedAt, endedAt }: DeploymentView): number | undefined {
  if (endedAt !== undefined) return endedAt;
  if (status === 'READY') return readyAt;
  if (status === 'ERROR') return failedAt;
  // Only a deployment in progress has certainly started and certainly not ended.
  return statusFace(status).tone === 'progress' && readyAt === undefined ? createdAt : undefined;
}

/**
 * How long a server ran that is stopping, has failed or has ended, in milliseconds. Edgegap's own count is used if there is one,
 * otherwise the time from the start of the server to its end. Undefined if the server was never ready.
 */
export function ranFor({ status, told, readyAt, failedAt, endedAt }: DeploymentView): number | undefined {
  if (told?.current_status === status && told.elapsed_time) return told.elapsed_time * 1000;
  const end = endedAt ?? failedAt;
  return readyAt === undefined || end === undefined ? undefined : end - readyAt;
}

/** A line for each address of the server: the text to copy, and behind it the name of the port. */
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

/** The facts in small print: place, end, IP, tags, request_id, person. */
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
  // After a failure, the log comes first: the same order would probably fail again. A server that found no place has no
  // log, but may find another place.
  const isUnplaced = status === 'ERROR' && readyAt === undefined && view.told?.last_status === 'SEEKING';
  const first = view.elsewhere ? 'elsewhere' : status === 'ERROR' ? 'show' : 'again';
  const button = (label: string, command: string, action: string, arg = id): Button => {
    // Nobody plays on a failed server, so its stop is no dangerous act.
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
  // A live card stays short. It links to the dashboard only if its note tells the reader to look there.
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

/** The page of the dashboard about a deployment. In the address, `{request_id}` stands for the deployment's id. */
function dashboardOf(address: string, { request_id = '' }: DeploymentView): string {
  return address.replaceAll('{request_id}', encodeURIComponent(request_id));
}

/** A duration in milliseconds in at most two units: `0 s`, `12 s`, `4 min 5 s`, `2 h 3 min`, `47 h`, `3 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return inUnits(minutes, 'min', seconds % 60, 's');
  if (hours < 48) return inUnits(hours, 'h', minutes % 60, 'min');
  return inUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** Writes a duration like `duration`, but leaves out the seconds after the minutes. */
export function roughly(ms: number): string {
  return duration(ms < 60_000 ? ms : ms - (ms % 60_000));
}

function inUnits(count: number, unit: string, rest: number, smaller: string): string {
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`;
}
