import { enteredAt, type SimulatedDeployment } from './deployment.ts';
import { accessPoint, hashNumber, selfStopToken } from './identity.ts';

/** How often a running game server prints a line. */
const PLAY_INTERVAL_MS = 2000;
const BOOT_INTERVAL_MS = 100;
const ENDS = ['ERROR', 'TERMINATED'] as const;

/**
 * Returns the container's log up to `now`. The lines are computed from the clock when the log is read. Timers for each
 * deployment would disturb tests that count timers.
 */
export function logUntil(deployment: SimulatedDeployment, now: number): string {
  grow(deployment, now);
  return deployment.log.lines.map((line) => `${line}\n`).join('');
}

/** Adds text to the log, as if the game server had printed it now. */
export function appendLog(deployment: SimulatedDeployment, now: number, text: string): void {
  grow(deployment, now);
  deployment.log.lines.push(`${clockTime(now)} ${text}`);
}

/** The end of the log and the stack trace after the process has crashed. */
export function crashReport(deployment: SimulatedDeployment, now: number, message: string): string {
  grow(deployment, now);
  const last = deployment.log.lines.slice(-5);
  return [
    ...last,
    `${clockTime(now)} [fatal] ${message}`,
    '    at GameLoop.Step',
    '    at Server.Main',
    '',
  ].join('\n');
}

function grow(deployment: SimulatedDeployment, now: number): void {
  const started = enteredAt(deployment, 'DEPLOYING');
  // If the image cannot be pulled, the container never prints a line.
  if (started === undefined || !deployment.imagePulled) return;
  const ready = enteredAt(deployment, 'READY') ?? Number.POSITIVE_INFINITY;
  const ended = Math.min(...ENDS.map((phase) => enteredAt(deployment, phase) ?? Number.POSITIVE_INFINITY));
  const until = Math.min(now, ended);
  const { log } = deployment;

  const boot = bootLines(deployment);
  for (; log.bootLines < boot.length; log.bootLines++) {
    // The last boot line comes no later than READY, so the log contains all boot lines even if READY comes early.
    const at = Math.min(started + log.bootLines * BOOT_INTERVAL_MS, ready);
    if (at > until) return;
    log.lines.push(`${clockTime(at)} ${boot[log.bootLines]}`);
  }
  for (; ; log.playLines++) {
    const at = ready + (log.playLines + 1) * PLAY_INTERVAL_MS;
    if (at > until) return;
    log.lines.push(`${clockTime(at)} ${playLine(deployment.request_id, log.playLines)}`);
  }
}

function bootLines(deployment: SimulatedDeployment): string[] {
  const { request_id, application, version, city, fqdn, ports, environment } = deployment;
  return [
    `[boot] ${application} ${version} starting, dedicated server, headless`,
    '[boot] environment:',
    `[boot]   ARBITRIUM_REQUEST_ID=${request_id}`,
    `[boot]   ARBITRIUM_DELETE_URL=https://api.edgegap.com/v1/self/stop/${request_id}/${accessPoint(request_id)}`,
    // Many images print all their environment variables. Every part of the bot that shows a log must therefore mask
    // this token.
    `[boot]   ARBITRIUM_DELETE_TOKEN=${selfStopToken(request_id)}`,
    `[boot]   ARBITRIUM_DEPLOYMENT_LOCATION=${city.city}`,
    ...environment.map(({ key, value }) => `[boot]   ${key}=${value}`),
    ...ports.map((port) => `[net] listening on 0.0.0.0:${port.port} (${port.protocol}, ${port.name})`),
    '[level] loading map "harbour" (38 assets)',
    `[net] reachable as ${fqdn}`,
    '[match] waiting for players',
  ];
}

const PLAYERS = ['ada', 'bjorn', 'chiyo', 'dmitri', 'esra', 'fatou', 'goran', 'hina'];
const MAPS = ['harbour', 'canyon', 'rooftops', 'glacier'];

function playLine(id: string, n: number): string {
  const roll = hashNumber(`${id}:line:${n}`);
  const player = PLAYERS[roll % PLAYERS.length];
  const rest = roll >>> 8;
  if (n % 15 === 14) return `[match] round over, next map "${MAPS[rest % MAPS.length]}"`;
  switch (roll % 5) {
    case 0:
      return `[net] ${player} connected, ping ${12 + (rest % 90)} ms`;
    case 1:
      return `[match] ${player} scores (${rest % 9}:${(rest >> 4) % 9})`;
    case 2:
      return `[tick] 64 Hz, frame ${(1 + (rest % 900) / 100).toFixed(2)} ms, ${2 + (rest % 7)} players`;
    case 3:
      return `[net] ${player} disconnected (timeout)`;
    default:
      return `[warn] ${player} is ${2 + (rest % 30)} frames behind, resending snapshot`;
  }
}

function clockTime(ms: number): string {
  return new Date(ms).toISOString();
}
