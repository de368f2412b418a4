import type { Button, Card, Field, Inline, Node, Rich, Tone } from '../chat/card.ts';
import type { DeploymentStatus, KNOWN_STATUSES } from '../edgegap/schema.ts';

/**
 * A deployment as it is shown to people, whether it was deployed from chat or not. All times are epoch milliseconds.
 */
export interface DeploymentView {
  readonly request_id: string | undefined;
  readonly application: string;
  readonly version: string;
  /** Edgegap's status without the prefix `Status.`, or the bot's own word as long as Edgegap has not told a status. */
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
  /** Whether a person asked to stop the deployment. */
  readonly stopping: boolean;
  /** The last status that Edgegap told. Undefined before the first status. */
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

/** The parts that an answer adds to the card. */
export interface Additions {
  /** Fields that follow the ports, and fields that follow the location. */
  readonly ports: readonly Field[];
  readonly location: readonly Field[];
  /** Buttons that follow Refresh. They are shown as long as Edgegap can still be asked about the server. */
  readonly buttons: readonly Button[];
  /** The argument of the button Refresh. */
  readonly refresh: string;
  /** The time at which the person asked, in epoch milliseconds. */
  readonly now: number;
  readonly portText: (port: PortView) => Rich;
}

interface Face {
  readonly tone: Tone;
  readonly words: string;
}

/** A status of Edgegap, or the bot's own word where Edgegap has told no status. */
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

/** The card of a deployment: status, address, the link of every port, place, elapsed time, and buttons. */
export function deploymentCard(view: DeploymentView, more?: Additions): Card {
  const face = statusFace(view.status);
  const fields: Field[] = [
    { label: 'Status', value: [{ bold: face.words }, ...elapsed(view), ...lastStep(view)] },
  ];
  const live = isLive(view);
  if (live && view.status === 'READY') {
    const address = view.fqdn ?? view.public_ip;
    if (address) fields.push({ label: 'Address', value: addressText(view) });
    for (const port of view.ports)
      fields.push({
        label: portLabel(port),
        value: [{ code: port.link }, ...(more?.portText(port) ?? [])],
      });
  }
  const ran = live ? [] : ranFromTo(view);
  if (ran.length > 0) fields.push({ label: 'Ran', value: ran });
  fields.push(...(more?.ports ?? []));
  if (view.place) fields.push({ label: 'Location', value: [view.place] });
  fields.push(...(more?.location ?? []));
  if (view.tags.length > 0)
    fields.push({ label: 'Tags', value: commaSeparated(view.tags.map((tag) => ({ code: tag }))) });
  fields.push(...(view.ordered ?? []));
  if (view.request_id) fields.push({ label: 'request_id', value: [{ code: view.request_id }] });
  const nodes: Node[] = [{ kind: 'fields', fields, columns: true }];
  // The text comes from Edgegap, and may quote the container or the registry.
  if (view.error) nodes.push({ kind: 'code', text: view.error, keep: 'start' });
  if (view.note) nodes.push({ kind: 'text', text: [view.note] });
  const small = footnote(view, more?.now);
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

function addressText(view: DeploymentView): Rich {
  const parts: Inline[] = [];
  if (view.fqdn) parts.push({ code: view.fqdn });
  if (view.fqdn && view.public_ip) parts.push(' · ');
  if (view.public_ip) parts.push({ code: view.public_ip });
  return parts;
}

function portLabel(port: PortView): string {
  return port.protocol ? `${port.name} (${port.protocol})` : port.name;
}

function footnote(view: DeploymentView, now: number | undefined): Inline[] {
  const parts: Inline[] = [];
  if (view.askedBy)
    parts.push(`${view.adopted ? 'Deployed elsewhere, adopted' : 'Deployed'} by ${view.askedBy}`);
  if (view.createdAt !== undefined)
    parts.push(parts.length > 0 ? ' · ' : 'Deployed ', { time: view.createdAt, style: 'clock' });
  if (view.endsAt !== undefined)
    parts.push(parts.length > 0 ? ' · ends ' : 'Ends ', ...until(view.endsAt, now));
  if (isLive(view) && view.told?.whitelisting_active)
    parts.push(parts.length > 0 ? ' · protected by an access list' : 'Protected by an access list');
  return parts;
}

/** A text such as `in 42 min (17:00)`. On a live card, the platform itself keeps `in 42 min` up to date. */
function until(time: number, now: number | undefined): Inline[] {
  const at: Inline = { time, style: 'clock' };
  if (now === undefined) return [{ time, style: 'relative' }, ' (', at, ')'];
  return time <= now ? [at] : [`in ${roughly(time - now)} (`, at, ')'];
}

function buttonsOf(view: DeploymentView, live: boolean, more: Additions | undefined): Button[] {
  const id = view.request_id;
  const buttons: Button[] = [];
  if (id && live) {
    if (view.status === 'READY' || view.status === 'ERROR')
      for (const [label, command] of [
        ['Logs', 'logs'],
        // A server that was never ready has no measurements.
        ...(view.readyAt === undefined ? [] : [['Metrics', 'metrics'] as const]),
      ] as const)
        buttons.push({ label, style: 'secondary', action: { command, action: 'show', arg: id } });
    buttons.push({
      label: 'Refresh',
      style: 'secondary',
      action: { command: 'status', action: 'refresh', arg: more?.refresh ?? id },
    });
    buttons.push(...(more?.buttons ?? []));
    if (!view.stopping && view.status !== 'TERMINATING')
      buttons.push({ label: 'Stop', style: 'danger', action: { command: 'stop', action: 'ask', arg: id } });
  }
  if (view.again)
    buttons.push({
      label: 'Deploy again',
      style: 'primary',
      action: { command: 'deploy', action: 'again', arg: view.again },
    });
  return buttons;
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

/** A duration as `duration` writes the duration, but without the seconds that are left over after the minutes. */
export function roughly(ms: number): string {
  return duration(ms < 60_000 ? ms : ms - (ms % 60_000));
}

function inUnits(count: number, unit: string, rest: number, smaller: string): string {
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`;
}
