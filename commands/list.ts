import type { Button, Card, Node } from '../src/chat/card.ts';
import { type ActionContext, type Context, defineCommand } from '../src/command/define.ts';
import { statusFace } from '../src/deployments/card.ts';
import { viewOf, viewOfStatus } from '../src/deployments/view.ts';
import type { DeploymentPage, EdgegapApi } from '../src/edgegap/client.ts';
import { isOwnTag } from '../src/edgegap/outside.ts';
import type { ListFilter } from '../src/edgegap/requests.ts';
import type { DeploymentRow } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

const ROWS = 10;

/** Those a deployment in the list can have; the list holds active ones only. */
const STATUSES = [
  'ready',
  'error',
  'initializing',
  'seeking',
  'seeked',
  'scanning',
  'deploying',
  'terminating',
] as const;

interface Filter {
  readonly application?: string | undefined;
  readonly version?: string | undefined;
  readonly status?: string | undefined;
  readonly tag?: string | undefined;
}

export default defineCommand({
  description: 'List active deployments',
  example: '--application kart-racing --status ready',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    application: { kind: 'application', description: 'Only of this application' },
    version: { kind: 'version', description: 'Only of this version' },
    status: { kind: 'choice', choices: STATUSES, description: 'Only in this status' },
    tag: { kind: 'tag', description: 'Only with this tag' },
    page: { kind: 'integer', min: 1, max: 10_000, description: 'Which page' },
  },
  actions: {
    page: {
      permission: 'deployments.read',
      ack: 'update',
      check: async (context) => void (await turned(context)),
      run: turn,
    },
  },
  run(context) {
    const { application, version, status, tag, page = 1 } = context.options;
    return show(context, { application, version, status, tag }, page);
  },
});

async function turn(context: ActionContext): Promise<void> {
  const { page, filter } = await turned(context);
  await show(context, filter, page);
}

async function turned({ action, kept }: Pick<ActionContext, 'action' | 'kept'>) {
  const [, page, key = ''] = /^(\d{1,5})\.(.*)$/.exec(action.arg) ?? [];
  const filter: Filter | undefined = key === '' ? {} : await kept.get(key);
  if (!page || !filter)
    throw new InputError('list-old', 'This list is too old to turn its pages.', { hint: 'Use list again.' });
  return { page: Number(page), filter };
}

/** That page; the last one where there are not so many (any more). */
async function read(edgegap: EdgegapApi, filter: Filter, page: number): Promise<DeploymentPage> {
  const found = await edgegap.deployments({
    filters: filtersOf(filter),
    order_by: [{ field: 'created_at', order: 'desc' }],
    page,
    limit: ROWS,
  });
  const last = pagesOf(found.total_count);
  if (page <= last) return { ...found, page };
  return await read(edgegap, filter, last);
}

function pagesOf(total: number): number {
  return Math.max(1, Math.ceil(total / ROWS));
}

async function show(context: Context<unknown>, filter: Filter, wanted: number): Promise<void> {
  const { rows, total_count, has_next, page } = await read(context.edgegap, filter, wanted);
  const nodes: Node[] = [];
  if (rows.length > 0) {
    const table = await Promise.all(rows.map((row) => tableRow(context, row)));
    nodes.push({
      kind: 'table',
      columns: ['request_id', 'application', 'status', 'address', 'tags'],
      rows: table,
    });
  } else {
    const none = isFiltered(filter) ? 'Nothing active matches.' : 'Nothing is active.';
    nodes.push({ kind: 'text', text: [none] });
  }
  const missed = wanted > page ? `There is no page ${wanted}. ` : '';
  if (missed || total_count > rows.length)
    nodes.push({ kind: 'note', text: [`${missed}Page ${page} of ${pagesOf(total_count)}`] });
  const key = isFiltered(filter) ? await context.kept.keep({ ...filter }) : '';
  const button = (label: string, to: number): Button => ({
    label,
    style: 'secondary',
    action: { command: 'list', action: 'page', arg: `${to}.${key}` },
  });
  const buttons = [
    ...(page > 1 ? [button('Previous', page - 1)] : []),
    button('Refresh', page),
    ...(has_next ? [button('Next', page + 1)] : []),
  ];
  nodes.push({ kind: 'buttons', buttons });
  await context.respond(listCard(filter, total_count, nodes));
}

function listCard(filter: Filter, total: number, nodes: readonly Node[]): Card {
  const filters = Object.entries(filter).flatMap(([name, value]) => (value ? [`${name} ${value}`] : []));
  const what = `${total} ${filter.status === 'error' ? 'failed' : 'active'} ${total === 1 ? 'deployment' : 'deployments'}`;
  return {
    kind: 'card',
    tone: 'neutral',
    title: [filters.length > 0 ? `${what}: ${filters.join(', ')}` : what],
    nodes,
  };
}

/** The list itself says neither application nor status: they come from our own record, or else from the status. */
async function tableRow({ deployments, edgegap }: Context<unknown>, row: DeploymentRow): Promise<string[]> {
  const known = await deployments.byRequestId(row.request_id);
  const seen = known ? undefined : await edgegap.status(row.request_id).catch(() => undefined);
  const view = known ? viewOf(known) : seen && viewOfStatus(seen);
  const believed = view?.status ?? 'DEPLOYING';
  // That it is ready the list may know first.
  const status = row.ready && (!view || statusFace(believed).tone === 'progress') ? 'READY' : believed;
  return [
    row.request_id,
    view ? `${view.application} ${view.version}`.trim() : '',
    statusFace(status).words,
    addressOf(row),
    row.tags.filter((tag) => !isOwnTag(tag)).join(', '),
  ];
}

function addressOf(row: DeploymentRow): string {
  const [port] = Object.values(row.ports);
  const host = row.fqdn ?? row.public_ip ?? '';
  return row.ready ? (port?.link ?? (port?.external === undefined ? host : `${host}:${port.external}`)) : '';
}

function filtersOf({ application, version, status, tag }: Filter): ListFilter[] {
  return [
    ...(application ? [{ field: 'application', operator: 'eq', value: application } as const] : []),
    ...(version ? [{ field: 'version', operator: 'eq', value: version } as const] : []),
    // Edgegap lists what failed until somebody stops it; active it is not.
    {
      field: 'status',
      ...(status ? { operator: 'eq', value: status } : { operator: 'neq', value: 'error' }),
    },
    ...(tag ? [{ field: 'tags', operator: 'eq', value: tag } as const] : []),
  ];
}

function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}
