import {
  type Button,
  type Card,
  type CardFile,
  type Field,
  type Inline,
  type Node,
  textFile,
} from '../src/chat/card.ts';
import { type Context, type DeploymentActionContext, defineCommand } from '../src/command/define.ts';
import { follow, unfollow } from '../src/command/follow.ts';
import { theDeployment } from '../src/command/options.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';
import { nameOfTarget } from '../src/deployments/view.ts';
import { EdgegapError } from '../src/edgegap/errors.ts';
import type { Logs } from '../src/edgegap/logs.ts';
import { InputError } from '../src/errors.ts';
import { excerpt as excerptOf } from '../src/log/excerpt.ts';
import { isPublicLink } from '../src/log/link.ts';
import { type LinePattern, linePattern } from '../src/log/pattern.ts';
import { maskedTail, type Tail } from '../src/log/tail.ts';
import type { Recorded } from '../src/recorder/recordings.ts';

const DEFAULT_LINES = 30;
const MAX_LINES = 5_000;

export default defineCommand({
  description: 'Show the last lines of a server’s log, its crash log and exit code',
  topic: 'look',
  example: '93924761ccde --lines 100 --grep error',
  permission: 'deployments.read',
  ack: 'private-unless-shared',
  options: {
    deployment: theDeployment,
    lines: {
      kind: 'integer',
      min: 1,
      max: MAX_LINES,
      label: 'Lines from the end',
      placeholder: String(DEFAULT_LINES),
      description: `How many lines from the end of the log (${DEFAULT_LINES} if not given)`,
    },
    grep: {
      kind: 'pattern',
      placeholder: 'error, or /error|warn/i',
      hint: 'Show only lines with this text or pattern',
      description: 'Show only lines with this text, or a pattern like /error|warn/i',
    },
    invert: { kind: 'boolean', description: 'Show the lines that do not match grep' },
    file: {
      kind: 'boolean',
      description: `Attach the lines as a file; without lines and grep, the last ${MAX_LINES}`,
    },
    follow: { kind: 'boolean', description: 'Show new lines to the whole channel as they arrive' },
    for: {
      kind: 'duration',
      examples: ['10m', '30m', '2h'],
      mostDays: 2 / 24,
      placeholder: '10m',
      hint: 'How long to follow',
      description: 'How long to follow (10m if not given)',
    },
    share: { kind: 'boolean', description: 'Show the answer to the whole channel' },
  },
  actions: {
    unfollow,
    show: {
      permission: 'deployments.read',
      ack: 'private',
      on: 'deployment',
      onCard: 'Logs',
      run: (context) => show(context, context.target, {}),
    },
    share: {
      permission: 'deployments.read',
      ack: 'public',
      on: 'deployment',
      run: async (context) => show(context, context.target, { ...(await askedBefore(context)), share: true }),
    },
    refresh: {
      permission: 'deployments.read',
      ack: 'update',
      on: 'deployment',
      run: async (context) => show(context, context.target, await askedBefore(context)),
    },
    follow: {
      permission: 'deployments.read',
      ack: 'private',
      on: 'deployment',
      interrupted: 'The log may or may not be followed: see the channel, and press the button again.',
      async run(context) {
        const { grep, invert } = await askedBefore(context);
        await follow(context, context.target, { grep, invert });
      },
    },
  },
  check({ options: { grep, invert, follow, for: ms, share } }) {
    if (ms !== undefined && !follow)
      throw new InputError('for-alone', 'for needs follow.', {
        hint: 'For example: `logs @last --follow --for 30m` shows the new lines of the next 30 minutes.',
      });
    if (follow && share)
      throw new InputError('follow-shared', 'follow shows the lines to the whole channel already.', {
        hint: 'Leave out share.',
      });
    if (invert && !grep)
      throw new InputError('invert-alone', 'invert needs grep.', {
        hint: 'For example: `logs @last --grep heartbeat --invert` shows all lines without heartbeat.',
      });
  },
  async run(context) {
    const { deployment, ...request } = context.options;
    await (request.follow ? follow(context, deployment, request) : show(context, deployment, request));
  },
});

interface LogsRequest {
  readonly lines?: number | undefined;
  readonly grep?: LinePattern | undefined;
  readonly invert?: boolean | undefined;
  readonly file?: boolean | undefined;
  readonly share?: boolean | undefined;
}

/** The options of a log request, which the bot stores for the buttons below the answer. */
interface SharedRequest extends Pick<LogsRequest, 'lines' | 'invert' | 'file'> {
  /** The pattern as the person typed it. */
  readonly source?: string | undefined;
}

/** Loads the log request that belongs to the pressed button. */
async function askedBefore({ action, payloads }: DeploymentActionContext): Promise<LogsRequest> {
  const [, key] = action.arg.split('.');
  const asked = key === undefined ? {} : await payloads.get(key);
  if (!asked)
    throw new InputError('logs-old', 'The buttons of this answer are too old.', {
      hint: 'Use `logs` again.',
    });
  const { source, ...request } = asked as SharedRequest;
  const grep = source === undefined ? undefined : await linePattern(source);
  return { ...request, grep: grep && 'matches' in grep ? grep : undefined };
}

async function show(
  context: Context<unknown>,
  target: DeploymentTarget,
  request: LogsRequest,
): Promise<void> {
  const { request_id } = target;
  const logs = await read(context, target);
  const count = request.lines ?? (request.file && !request.grep ? MAX_LINES : DEFAULT_LINES);
  const part = (text: string, most: number) => partOf(context, text, request, most);
  const log = await part(logs.logs, count);
  const crash = await part(logs.crash_logs ?? '', MAX_LINES);
  const card = logCard(request_id, logs, { log, crash, asked: count, request });
  const isEmpty = !log.text && !crash.text && !logs.logs_link;
  const name = nameOfTarget(target);
  const nodes: Node[] = [...(name === '' ? [] : [{ kind: 'note', text: [name] } as const]), ...card.nodes];
  if (!request.share) {
    const buttons = buttonsOf(await argOf(context, request_id, request), { isEmpty, isLive: isLive(target) });
    if (buttons.length > 0) nodes.push({ kind: 'buttons', buttons });
  }
  await context.respond({ ...card, nodes });
}

/**
 * The last lines of a log, or the last lines that match the pattern. `total` is undefined if the bot did not search the
 * older lines.
 */
interface Part extends Omit<Tail, 'total'> {
  readonly total: number | undefined;
}

async function partOf(
  { logSearches, settings: { secrets } }: Context<unknown>,
  text: string,
  { grep, invert = false }: LogsRequest,
  count: number,
): Promise<Part> {
  if (!grep) return await maskedTail(text, count, secrets);
  const found = await logSearches.search({ log: text, source: grep.source, invert, count, secrets });
  return { ...found, total: found.isComplete ? found.lines : undefined };
}

/** Whether the server still runs, so that its log may grow. */
function isLive({ known, seen }: DeploymentTarget): boolean {
  return known ? known.endedAt === undefined : seen?.current_status !== 'TERMINATED';
}

function buttonsOf(arg: string, { isEmpty, isLive }: { isEmpty: boolean; isLive: boolean }): Button[] {
  const button = (label: string, action: string): Button => ({
    label,
    style: 'secondary',
    action: { command: 'logs', action, arg },
  });
  return [
    ...(isLive ? [button('Refresh', 'refresh'), button('Follow', 'follow')] : []),
    ...(isEmpty ? [] : [button('Share', 'share')]),
  ];
}

/** The argument of the buttons: the request_id. If the request has options, the key of the stored request follows. */
async function argOf(
  { payloads }: Context<unknown>,
  request_id: string,
  { lines, grep, invert, file }: LogsRequest,
): Promise<string> {
  const asked: SharedRequest = { lines, source: grep?.source, invert, file };
  const isPlain = Object.values(asked).every((value) => value === undefined);
  return isPlain ? request_id : `${request_id}.${await payloads.keep({ ...asked })}`;
}

async function read(
  { edgegap, deployments, recordings, settings }: Context<unknown>,
  { request_id, seen }: DeploymentTarget,
): Promise<Logs & Partial<Recorded>> {
  try {
    const told = await edgegap.logs(request_id);
    // After the end of a deployment, Edgegap may send an empty log, together with a link to the stored log. The bot
    // then shows the log that it saved itself.
    const saved = told.logs || told.crash_logs ? undefined : await recordings.of(request_id);
    return saved ? { ...saved, logs_link: told.logs_link } : told;
  } catch (cause) {
    // Reads the deployment from the database again, because the deployment may have ended while the bot asked Edgegap
    // for the log.
    const known = await deployments.byRequestId(request_id);
    const ended = known?.endedAt !== undefined || seen?.current_status === 'TERMINATED';
    if (!ended || !(cause instanceof EdgegapError) || cause.outcome !== 'not-done') throw cause;
    const saved = await recordings.of(request_id);
    if (saved) return saved;
    throw logGone(settings.savesLogs, cause);
  }
}

function logGone(savesLogs: boolean, cause: unknown): InputError {
  const why = savesLogs ? 'I could not save the log' : 'I am set to save no logs';
  const storage = 'give the version an endpoint storage in the Edgegap dashboard';
  const how = savesLogs
    ? storage
    : `whoever runs me can set FLIGHT_RECORDER to 1 and restart me. Or ${storage}`;
  return new InputError('log-gone', `The server has stopped, and its log is gone: ${why}.`, {
    hint: `To keep the logs of later servers, ${how}.`,
    cause,
  });
}

interface Shown {
  readonly log: Part;
  readonly crash: Part;
  /** How many lines the person asked for. */
  readonly asked: number;
  readonly request: LogsRequest;
}

function logCard(
  request_id: string,
  logs: Logs & Partial<Recorded>,
  { log, crash, asked, request }: Shown,
): Card {
  const nodes: Node[] = [];
  const fields = crashFields(logs);
  if (fields.length > 0) nodes.push({ kind: 'fields', fields });
  const files: CardFile[] = [];
  let left = 0;
  let long = 0;
  const part = (title: string, { text, lines }: Part, file: string) => {
    if (title) nodes.push({ kind: 'text', text: [{ bold: title }] });
    const excerpt = excerptOf(text);
    const ends = text.match(/^\[… \d+ characters left out\]/gm)?.length ?? 0;
    if (request.file || excerpt.length < text.length || ends > 0) files.push(textFile(file, `${text}\n`));
    left += lines - excerpt.split('\n').length;
    long += ends;
    nodes.push({ kind: 'code', text: excerpt, keep: 'end' });
  };
  if (crash.text) part('Crash log', crash, `${request_id}-crash.log`);
  if (log.text) part(crash.text ? 'Log' : '', log, `${request_id}.log`);
  else if (request.grep && logs.logs) nodes.push({ kind: 'text', text: noMatch(request.grep, log) });
  else if (!logs.logs_link)
    nodes.push({ kind: 'text', text: ['The log is empty: the server has printed nothing, or never ran.'] });
  const note = (...text: Inline[]) => nodes.push({ kind: 'note', text });
  if (logs.recordedAt !== undefined)
    note('The server has ended. I saved this log ', { time: logs.recordedAt, style: 'relative' }, '.');
  if (files.length > 0)
    note(
      `${left > 0 ? `… ${counted(left)} left out here. ` : ''}These are the last lines; all lines are in the ${files.length === 1 ? 'file' : 'files'}.`,
    );
  if (long > 0) note(`… ${counted(long)} cut short; the Edgegap dashboard has the whole log.`);
  if (log.text && log.total === undefined && log.lines < asked) note(NOT_ALL_SEARCHED);
  const missing = lacking(log, asked) + lacking(crash, MAX_LINES);
  if (missing > 0)
    note(
      `… ${counted(missing)} more left out: together they are too long to be shown here; the Edgegap dashboard has them.`,
    );
  if (logs.logs_link) note(storedLog(logs.logs_link));
  return {
    kind: 'card',
    tone: crash.text || fields.length > 0 ? 'danger' : 'neutral',
    title: ['Log of ', { code: request_id }, log.lines > 0 ? `, ${howMany(log, request)}` : ''],
    nodes,
    ...(files.length > 0 ? { files } : {}),
  };
}

const NOT_ALL_SEARCHED =
  'Older lines were not searched, because the log is too long. The Edgegap dashboard has the whole log.';

function noMatch({ source }: LinePattern, { total }: Part): Inline[] {
  return ['No line matches ', { code: source }, '. ', total === undefined ? NOT_ALL_SEARCHED : ''];
}

/** How many of the requested lines are left out, because the text would be too long. */
function lacking({ total, lines }: Part, asked: number): number {
  return total === undefined ? 0 : Math.min(asked, total) - lines;
}

/** Returns for example `last 30 of 20,000 lines`, or `last 30 lines with “error”`. */
function howMany(
  { lines, total }: Part,
  { grep, invert, lines: asked = DEFAULT_LINES }: LogsRequest,
): string {
  if (!grep)
    return total !== undefined && lines < total
      ? `last ${lines.toLocaleString('en')} of ${counted(total)}`
      : counted(lines);
  return `${lines >= asked ? 'last ' : ''}${counted(lines)} ${invert ? 'without' : 'with'} “${grep.source}”`;
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
 * People can share the answer with the whole channel. A link that contains credentials is therefore left out, and the
 * text refers to the Edgegap dashboard.
 */
function storedLog(link: string): Inline {
  if (isPublicLink(link)) return { link, text: 'Stored log' };
  const { hostname = '' } = URL.parse(link) ?? {};
  return `The log is stored too${hostname && ` at ${hostname}`}; the link to it is in the Edgegap dashboard.`;
}
