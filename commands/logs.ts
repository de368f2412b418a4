import { type Card, type CardFile, type Field, type Inline, type Node, textFile } from '../src/chat/card.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { theDeployment } from '../src/command/options.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';
import { EdgegapError } from '../src/edgegap/errors.ts';
import type { Logs } from '../src/edgegap/logs.ts';
import { InputError } from '../src/errors.ts';
import { isPublicLink } from '../src/log/link.ts';
import { maskedTail, type Tail } from '../src/log/tail.ts';

const DEFAULT_LINES = 30;
/** How much of a log the message shows. A longer log is attached as a file. */
const SHOWN_LINES = 40;
const SHOWN_CHARACTERS = 2_400;
const MAX_LINES = 5_000;

export default defineCommand({
  description: 'Show the last lines of a deployment’s log, its crash log and exit code',
  example: '93924761ccde --lines 100',
  permission: 'deployments.read',
  ack: 'public',
  options: {
    deployment: theDeployment,
    lines: {
      kind: 'integer',
      min: 1,
      max: MAX_LINES,
      description: `How many lines from the end (${DEFAULT_LINES} if not given)`,
    },
  },
  actions: {
    show: {
      permission: 'deployments.read',
      ack: 'public',
      on: 'deployment',
      run: (context) => show(context, context.target, DEFAULT_LINES),
    },
  },
  run: (context) => show(context, context.options.deployment, context.options.lines ?? DEFAULT_LINES),
});

async function show(context: Context<unknown>, target: DeploymentTarget, count: number): Promise<void> {
  const { request_id } = target;
  const logs = await read(context, target);
  const { secrets } = context.settings;
  const log = await maskedTail(logs.logs, count, secrets);
  const crash = await maskedTail(logs.crash_logs ?? '', MAX_LINES, secrets);
  await context.respond(logCard(request_id, logs, { log, crash, asked: count }));
}

async function read({ edgegap, deployments }: Context<unknown>, { request_id, seen }: DeploymentTarget) {
  try {
    return await edgegap.logs(request_id);
  } catch (cause) {
    // The deployment is read again, because it may have ended in the meantime.
    const known = await deployments.byRequestId(request_id);
    const ended = known?.endedAt !== undefined || seen?.current_status === 'TERMINATED';
    if (!ended || !(cause instanceof EdgegapError) || cause.outcome !== 'not-done') throw cause;
    throw new InputError('log-gone', 'The deployment has terminated, and its log is gone.', {
      hint: 'To keep the logs of later deployments, give the version an endpoint storage in the Edgegap dashboard.',
      cause,
    });
  }
}

function logCard(
  request_id: string,
  logs: Logs,
  { log, crash, asked }: { readonly log: Tail; readonly crash: Tail; readonly asked: number },
): Card {
  const nodes: Node[] = [];
  const fields = crashFields(logs);
  if (fields.length > 0) nodes.push({ kind: 'fields', fields });
  const files: CardFile[] = [];
  let left = 0;
  let long = 0;
  const part = (title: string, { text, lines }: Tail, file: string) => {
    if (title) nodes.push({ kind: 'text', text: [{ bold: title }] });
    const excerpt = lastCharacters(lastLines(text, SHOWN_LINES), SHOWN_CHARACTERS);
    const ends = text.match(/^\[… \d+ characters left out\]/gm)?.length ?? 0;
    if (excerpt.length < text.length || ends > 0) files.push(textFile(file, `${text}\n`));
    left += lines - excerpt.split('\n').length;
    long += ends;
    nodes.push({ kind: 'code', text: excerpt, keep: 'end' });
  };
  if (crash.text) part('Crash log', crash, `${request_id}-crash.log`);
  if (log.text) part(crash.text ? 'Log' : '', log, `${request_id}.log`);
  else if (!logs.logs_link)
    nodes.push({ kind: 'text', text: ['The log is empty: the server has printed nothing, or never ran.'] });
  const note = (text: Inline) => nodes.push({ kind: 'note', text: [text] });
  if (files.length > 0)
    note(
      `${left > 0 ? `… ${counted(left)} left out here. ` : ''}These are the last lines; all lines are in the ${files.length === 1 ? 'file' : 'files'}.`,
    );
  if (long > 0) note(`… ${counted(long)} cut short; the Edgegap dashboard has the whole log.`);
  const missing = Math.min(asked, log.total) - log.lines + Math.min(MAX_LINES, crash.total) - crash.lines;
  if (missing > 0)
    note(
      `… ${counted(missing)} more left out: together they are too long to be shown here; the Edgegap dashboard has them.`,
    );
  if (logs.logs_link) note(storedLog(logs.logs_link));
  return {
    kind: 'card',
    tone: crash.text || fields.length > 0 ? 'danger' : 'neutral',
    title: ['Log of ', { code: request_id }, log.lines > 0 ? `, ${howMany(log)}` : ''],
    nodes,
    ...(files.length > 0 ? { files } : {}),
  };
}

/** For example `last 30 of 20,000 lines`. */
function howMany({ lines, total }: Tail): string {
  return lines < total ? `last ${lines.toLocaleString('en')} of ${counted(total)}` : counted(total);
}

function counted(lines: number): string {
  return `${lines.toLocaleString('en')} ${lines === 1 ? 'line' : 'lines'}`;
}

function crashFields({ crash_data }: Logs): Field[] {
  const { exit_code, message, restart_count } = crash_data ?? {};
  return [
    ...(exit_code === undefined ? [] : [{ label: 'Exit code', value: [String(exit_code)] }]),
    ...(message ? [{ label: 'Reason', value: [message] }] : []),
    ...(restart_count ? [{ label: 'Restarts', value: [String(restart_count)] }] : []),
  ];
}

/**
 * The place of a stored log. The whole channel can read the answer. Therefore a link that works without a sign-in is
 * left out, and only the Edgegap dashboard shows such a link.
 */
function storedLog(link: string): Inline {
  if (isPublicLink(link)) return { link, text: 'Stored log' };
  const { hostname = '' } = URL.parse(link) ?? {};
  return `The log is stored too${hostname && ` at ${hostname}`}; the link to it is in the Edgegap dashboard.`;
}

function lastLines(text: string, count: number): string {
  return text.split('\n').slice(-count).join('\n');
}

/**
 * At most the last `count` characters. If possible, the text starts at the beginning of a line. It never starts in the
 * middle of a character.
 */
function lastCharacters(text: string, count: number): string {
  if (text.length <= count) return text;
  const end = text.slice(-count);
  const line = end.indexOf('\n');
  return line === -1 ? end.replace(/^[\uDC00-\uDFFF]/, '') : end.slice(line + 1);
}
