import type { Button, Card, Node, Rich } from '../chat/card.ts';
import { counted } from '../chat/facts.ts';
import { cutEnd, oneLine } from '../chat/text.ts';
import { duration, statusFace } from '../deployments/card.ts';
import type { Deployment } from '../deployments/deployment.ts';
import { memory, vcpu } from '../deployments/resources.ts';
import { timesOf, viewOf } from '../deployments/view.ts';
import type { Logs } from '../edgegap/logs.ts';
import { reasonOf } from './reason.ts';

/** The maximum number of lines and characters that the card shows from the end of the log. */
const LINES = 12;
const CHARACTERS = 1_200;
const DETAIL_LENGTH = 300;

/**
 * A server's last measured use of resources, and its limits. CPU is in CPU units (1024 units are one vCPU), and memory
 * is in MB.
 */
export interface Use {
  readonly cpu?: number | undefined;
  readonly memory?: number | undefined;
  readonly cpuLimit?: number | undefined;
  readonly memoryLimit?: number | undefined;
}

export interface Crash {
  readonly deployment: Deployment;
  /** The masked log. Undefined if Edgegap did not return the log. */
  readonly log: Logs | undefined;
  readonly use: Use;
  /**
   * `of` is the number of compared deployments of the version, including this deployment. `count` says how many of them
   * failed in the same way.
   */
  readonly same: { readonly count: number; readonly of: number };
  readonly isRecorded: boolean;
}

/** The crash report, without the log file. */
export function crashCard({ deployment, log, use, same, isRecorded }: Crash): Card {
  const { application, version, requestId = '', errorDetail: detail } = deployment;
  const { exit_code: exitCode, message, restart_count: restarts } = log?.crash_data ?? {};
  const memoryShare = use.memory && use.memoryLimit ? use.memory / use.memoryLimit : undefined;
  const reason = reasonOf({ detail, exitCode, message, memoryShare });
  const said = oneLine(
    [detail, message && !detail?.includes(message) ? message : undefined].filter(Boolean).join(' '),
  );
  const used = [
    usedOf('CPU', use.cpu, use.cpuLimit, vcpu),
    usedOf('memory', use.memory, use.memoryLimit, memory),
  ];
  const words: Rich[] = [
    ...(said === '' ? [] : [[`Edgegap says: ${cutEnd(said, DETAIL_LENGTH)}`]]),
    ...(same.of > 1 && same.count > 0
      ? [[`${same.count} of the last ${same.of} servers of this version failed like this.`]]
      : []),
  ];
  const nodes: Node[] = [
    {
      kind: 'text',
      text: [{ bold: reason ?? (said ? 'The reason is not known.' : 'Edgegap gave no reason.') }],
    },
    ...words.map((text): Node => ({ kind: 'text', text })),
  ];
  const measured = used.filter((part) => part !== '').join(', ');
  const facts = [
    viewOf(deployment).place ?? '',
    exitCode === undefined ? '' : `exit code ${exitCode}`,
    restarts ? counted(restarts, 'restart') : '',
    before(deployment),
    measured && `last measured: ${measured}`,
  ].filter((fact) => fact !== '');
  const lines = lastLines(log?.crash_logs || log?.logs || '');
  if (lines !== '') nodes.push({ kind: 'code', text: lines, keep: 'end', folded: 'Last lines of the log' });
  nodes.push({ kind: 'note', text: [aboutLog(log, lines !== '', isRecorded)] });
  nodes.push({
    kind: 'note',
    text: [...facts.map((fact) => `${fact} · `), 'request_id ', { code: requestId }],
  });
  nodes.push({ kind: 'buttons', buttons: buttonsOf(deployment) });
  return { kind: 'card', tone: 'danger', title: [`Crash report of ${application} ${version}`], nodes };
}

function usedOf(
  name: string,
  used: number | undefined,
  limit: number | undefined,
  inWords: (value: number) => string,
): string {
  if (used === undefined) return '';
  return limit ? `${name} ${inWords(used)} of ${inWords(limit)}` : `${name} ${inWords(used)}`;
}

/** Says which status came before the failure, and how old the deployment was at that time. */
function before(deployment: Deployment): string {
  const { readyAt, endedAt } = timesOf(deployment);
  const { createdAt, snapshot } = deployment;
  const failedAt = deployment.errorAt ?? endedAt ?? createdAt;
  const ready = deployment.readyAt ?? readyAt;
  if (ready !== undefined && ready <= failedAt)
    return `ready for ${duration(failedAt - ready)} before the failure`;
  const last = snapshot?.last_status;
  const step = last && last !== 'ERROR' ? `at the step “${statusFace(last).words}”` : 'never ready';
  return `${step}, ${duration(failedAt - createdAt)} after the order`;
}

function aboutLog(log: Logs | undefined, hasLines: boolean, isRecorded: boolean): string {
  if (!log) return 'Edgegap gave me no log of this server.';
  if (!hasLines) return 'The log is empty, because the server printed nothing or never ran.';
  return isRecorded
    ? 'I saved the log. The file and the button Logs show more.'
    : 'The button Logs shows more, as long as the server exists.';
}

function buttonsOf(deployment: Deployment): Button[] {
  const { id, requestId = '' } = deployment;
  const button = (label: string, command: string, action: string, arg: string): Button => ({
    label,
    style: command === 'logs' ? 'primary' : 'secondary',
    action: { command, action, arg },
  });
  return [
    button('Logs', 'logs', 'show', requestId),
    button('Deploy again', 'deploy', 'again', id),
    ...(viewOf(deployment).elsewhere ? [button('Try another city', 'deploy', 'elsewhere', id)] : []),
  ];
}

function lastLines(text: string): string {
  const lines = text.trimEnd().split('\n').slice(-LINES);
  while (lines.length > 1 && lines.join('\n').length > CHARACTERS) lines.shift();
  return cutEnd(lines.join('\n'), CHARACTERS);
}
