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
  readonly askedBy: string | undefined;
  /** Whether this person adopted the deployment, which was deployed elsewhere. */
  readonly adopted?: boolean | undefined;
  readonly createdAt: number | undefined;
  readonly readyAt: number | undefined;
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
  /** Whether the card also offers another city for the same order. */
  readonly elsewhere?: boolean;
  /** How long this version usually takes until the server is ready, in milliseconds. */
  readonly usualMs?: number | undefined;
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
  /** Fields that follow the ports, and fields that follow the location. */
  readonly ports?: readonly Field[];
  readonly location?: readonly Field[];
  /** Buttons that follow Refresh. They are shown as long as Edgegap can still be asked about the server. */
  readonly buttons?: readonly Button[];
  /** The argument of the button Refresh. */
  readonly refresh?: string;
  /** The time at which the person asked, in epoch milliseconds. */
  readonly now?: number;
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
  TERMINATED: { tone: 'neutral', words: 'Terminated' },
  ERROR: { tone: 'danger', words: 'Error' },
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

/** The card of a deployment: status, address, the link of every port, location, elapsed time, and buttons. */
export function deploymentCard(view: DeploymentView, more: Additions = {}): Card {
  const face = statusFace(view.status);
  const { status, readyAt, told, usualMs } = view;
  const progress = progressOf({ status, readyAt, last: told?.last_status });
  const usual = face.tone === 'progress' && usualMs !== undefined;
  const state: Field = {
    label: 'Status',
    value: [
      { bold: face.words },
      ...elapsed(view),
      ...(progress ? [] : lastStep(view)),
      ...(usual ? [`, usually ready after ${duration(usualMs)}`] : []),
    ],
  };
  const fields: Field[] = [];
  const live = isLive(view);
  if (live && status === 'READY') {
    const address = addressOf(view);
    if (address && view.ports.length === 0) fields.push(address);
    for (const port of view.ports)
      fields.push({
        label: portLabel(port),
        value: [{ code: port.link }, ...(more.portText?.(port) ?? [])],
      });
    if (address && view.ports.length > 0) fields.push(address);
  }
  const ran = live ? [] : ranFromTo(view);
  if (ran.length > 0) fields.push({ label: 'Ran', value: ran });
  fields.push(...(more.ports ?? []));
  if (view.place) fields.push({ label: 'Location', value: [view.place] });
  fields.push(...(more.location ?? []));
  if (view.tags.length > 0)
    fields.push({ label: 'Tags', value: commaSeparated(view.tags.map((tag) => ({ code: tag }))) });
  fields.push(...(view.ordered ?? []));
  if (view.request_id) fields.push({ label: 'request_id', value: [{ code: view.request_id }] });
  // The text comes from Edgegap, and may quote the container or the registry. The reason of a failure comes first.
  const reason: Node[] = view.error ? [{ kind: 'text', text: [view.error] }] : [];
  const nodes: Node[] =
    progress || reason.length > 0
      ? [
          { kind: 'fields', fields: [state] },
          ...reason,
          ...(progress ? [progress] : []),
          { kind: 'fields', fields, columns: true },
        ]
      : [{ kind: 'fields', fields: [state, ...fields], columns: true }];
  if (view.note) nodes.push({ kind: 'text', text: [view.note] });
  const small = footnote(view, more);
  if (small.length > 0) nodes.push({ kind: 'note', text: small });
  const buttons = buttonsOf(view, live, more);
  if (buttons.length > 0) nodes.push({ kind: 'buttons', buttons });
  return { kind: 'card', tone: face.tone, title: titleOf(view), nodes };
}

export function isLive({ endedAt, status }: DeploymentView): boolean {
  return endedAt === undefined && status !== 'TERMINATED';
}

function titleOf(view: DeploymentView): Rich {
  return [`${view.application} ${view.version}`.trim()];
}

/**
 * The time shown beside the status: how long a server ran that has ended, or when the server ended, or since when the
 * server has been ready, or since when the deployment has been under way.
 */
function elapsed(view: DeploymentView): Inline[] {
  const { createdAt, readyAt, endedAt } = view;
  const ran = ranFor(view);
  if (endedAt !== undefined && ran !== undefined) return [` after ${duration(ran)}`];
  if (endedAt !== undefined) return [', ended ', { time: endedAt, style: 'clock' }];
  if (readyAt !== undefined) {
    if (view.status !== 'READY') return [];
    const took = createdAt === undefined ? [] : [`, after ${duration(readyAt - createdAt)}`];
    return [' ', { time: readyAt, style: 'relative' }, ...took];
  }
  // Only a deployment in progress has certainly started and certainly not ended.
  if (createdAt === undefined || statusFace(view.status).tone !== 'progress') return [];
  return [', started ', { time: createdAt, style: 'relative' }];
}

/**
 * How long a server ran that is stopping or has ended, in milliseconds. Edgegap's own count is used if there is one,
 * otherwise the time from the start of the server to its end. Undefined if the server was never ready.
 */
export function ranFor({ status, told, readyAt, endedAt }: DeploymentView): number | undefined {
  if (told?.current_status === status && told.elapsed_time) return told.elapsed_time * 1000;
  return readyAt === undefined || endedAt === undefined ? undefined : endedAt - readyAt;
}

/** The text `from 16:02 to 16:07` for a server that has ended, and `since 16:02` for a server that runs. */
export function ranFromTo({ readyAt, endedAt }: DeploymentView): Rich {
  const clock = (time: number) => ({ time, style: 'clock' }) as const;
  if (readyAt === undefined) return [];
  return endedAt === undefined
    ? ['since ', clock(readyAt)]
    : ['from ', clock(readyAt), ' to ', clock(endedAt)];
}

/** The last step that the deployment reached before the server failed. */
function lastStep({ status, told }: DeploymentView): Inline[] {
  const last = told?.last_status;
  if (status !== 'ERROR' || last === undefined || last === 'ERROR') return [];
  return [`, last step: ${statusFace(last).words}`];
}

/** The address of the server. The link of each port contains the name of the host. So if the card shows ports, this field shows only the IP. */
function addressOf({ fqdn, public_ip: ip, ports }: DeploymentView): Field | undefined {
  if (ports.length > 0) return ip === undefined ? undefined : { label: 'IP', value: [{ code: ip }] };
  const known = [fqdn, ip].flatMap((part, index): Inline[] =>
    part === undefined ? [] : [index > 0 && fqdn !== undefined ? ' · ' : '', { code: part }],
  );
  return known.length === 0 ? undefined : { label: 'Address', value: known };
}

function portLabel(port: PortView): string {
  return port.protocol ? `${port.name} (${port.protocol})` : port.name;
}

function footnote(view: DeploymentView, { now, checkedAt }: Additions): Inline[] {
  const parts: Inline[] = [];
  if (view.askedBy)
    parts.push(`${view.adopted ? 'Deployed elsewhere, adopted' : 'Deployed'} by ${view.askedBy}`);
  if (view.createdAt !== undefined)
    parts.push(parts.length > 0 ? ' · ' : 'Deployed ', { time: view.createdAt, style: 'clock' });
  if (view.endsAt !== undefined)
    parts.push(parts.length > 0 ? ' · ends ' : 'Ends ', ...until(view.endsAt, now));
  if (isLive(view) && view.told?.whitelisting_active)
    parts.push(parts.length > 0 ? ' · protected by an access list' : 'Protected by an access list');
  if (checkedAt !== undefined)
    parts.push(parts.length > 0 ? ' · checked ' : 'Checked ', { time: checkedAt, style: 'relative' });
  return parts;
}

/** A text such as `in 42 min (17:00)`. On a live card, the platform itself keeps `in 42 min` up to date. */
function until(time: number, now: number | undefined): Inline[] {
  const at: Inline = { time, style: 'clock' };
  if (now === undefined) return [{ time, style: 'relative' }, ' (', at, ')'];
  return time <= now ? [at] : [`in ${roughly(time - now)} (`, at, ')'];
}

function buttonsOf(view: DeploymentView, live: boolean, more: Additions): Button[] {
  const { request_id: id = '', status, readyAt, again } = view;
  // After a failure, the log comes first: the same order would probably fail again.
  const first = status === 'ERROR' ? 'show' : 'again';
  const button = (label: string, command: string, action: string, arg = id): Button => ({
    label,
    style: action === 'ask' ? 'danger' : action === first && command !== 'metrics' ? 'primary' : 'secondary',
    action: { command, action, arg },
  });
  const buttons: Button[] = [];
  const hasRun = status === 'READY' || status === 'ERROR';
  if (id !== '' && (live ? hasRun : again !== undefined)) buttons.push(button('Logs', 'logs', 'show'));
  // A server that was never ready has no measurements.
  if (id !== '' && live && hasRun && readyAt !== undefined)
    buttons.push(button('Metrics', 'metrics', 'show'));
  if (again !== undefined) buttons.push(button('Deploy again', 'deploy', 'again', again));
  if (again !== undefined && view.elsewhere)
    buttons.push(button('Try another city', 'deploy', 'elsewhere', again));
  if (id !== '' && live) {
    if (status === 'READY') buttons.push(button('Tags', 'tags', 'show'));
    buttons.push(button('Refresh', 'status', 'refresh', more.refresh));
    buttons.push(...(more.buttons ?? []));
    if (!view.stopping && status !== 'TERMINATING') buttons.push(button('Stop', 'stop', 'ask'));
  }
  if (live && status === 'READY') buttons.push(...view.ports.flatMap(pageButton));
  // A live card stays short. It links to the dashboard only if its note tells the reader to look there.
  const isAnswer = more.now !== undefined;
  if (more.dashboard && (isAnswer || status === 'UNKNOWN' || status === 'LOST'))
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

function commaSeparated(items: readonly Inline[]): Inline[] {
  return items.flatMap((item, index) => (index === 0 ? [item] : [', ', item]));
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
