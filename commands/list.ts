import type { Card, Node } from '../src/chat/card.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { pageAction, pageFoot, pageOption } from '../src/command/pages.ts';
import { namesakes } from '../src/command/same-name.ts';
import { statusFace } from '../src/deployments/card.ts';
import { viewOf, viewOfStatus } from '../src/deployments/view.ts';
import type { DeploymentPage, EdgegapApi } from '../src/edgegap/client.ts';
import { isOwnTag } from '../src/edgegap/outside.ts';
import type { ListFilter } from '../src/edgegap/requests.ts';
import type { DeploymentRow } from '../src/edgegap/schema.ts';

const ROWS = 10;
const COLUMNS = ['request_id', 'application', 'status', 'address', 'tags'];

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

/** Several versions or tags: each that means what was typed. */
interface Filter {
  readonly application?: string | undefined;
  readonly version?: string | readonly string[] | undefined;
  readonly status?: string | undefined;
  readonly tag?: string | readonly string[] | undefined;
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
    page: pageOption,
  },
  actions: { page: pageAction<Filter>(show) },
  run(context) {
    const { application, version, status, tag, page = 1 } = context.options;
    return show(context, { application, version, status, tag }, page);
  },
});

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

/** In place of a tag or version that finds nothing, those in use that mean the same. */
async function inUse({ edgegap, catalog }: Context<unknown>, filter: Filter): Promise<Filter> {
  const { application, version, tag } = filter;
  const versions: string[] = [];
  if (version && !application)
    for (const { name } of await catalog.applications())
      versions.push(...(await catalog.versions(name)).map((one) => one.name));
  const named = { ...filter, version: likeNames(version, versions) };
  const tags: string[] = [];
  const others = filtersOf({ ...named, tag: undefined });
  if (tag)
    for await (const row of edgegap.allDeployments({ filters: others, limit: 50 }))
      tags.push(...row.tags.filter((one) => !isOwnTag(one)));
  return { ...named, tag: likeNames(tag, tags) };
}

function likeNames(given: Filter['tag'], known: readonly string[]): Filter['tag'] {
  if (typeof given !== 'string') return given;
  const found = namesakes(given, [...new Set(known)], (one) => one);
  return found.length > 0 ? found : given;
}

/** How many failed that match but for that; as far as the bot itself knows: no list tells of both. */
async function failedNote(context: Context<unknown>, filter: Filter): Promise<Node[]> {
  const { deployments, settings, prompt } = context;
  const { application, version = [], status, tag = [] } = filter;
  const versions = [version].flat();
  const tags = [tag].flat().map((one) => JSON.stringify(one));
  const failed = status ? [] : await deployments.failed(settings.applicationAllowlist);
  const { length } = failed.filter(
    (one) =>
      (!application || one.application === application) &&
      (versions.length === 0 || versions.includes(one.version)) &&
      (tags.length === 0 || tags.some((json) => one.tags_json?.includes(json))),
  );
  if (length === 0) return [];
  const what = length === 1 ? '1 failed deployment is' : `${length} failed deployments are`;
  return [{ kind: 'note', text: [`${what} not shown: use `, { code: `${prompt}list --status error` }] }];
}

async function show(context: Context<unknown>, asked: Filter, wanted: number): Promise<void> {
  let filter = asked;
  let found = await read(context.edgegap, filter, wanted);
  if (found.total_count === 0 && (filter.tag || filter.version)) {
    filter = await inUse(context, asked);
    if (filter.tag !== asked.tag || filter.version !== asked.version)
      found = await read(context.edgegap, filter, wanted);
  }
  const { rows, total_count, has_next, page } = found;
  const nodes: Node[] = [];
  if (rows.length > 0) {
    const table = await Promise.all(rows.map((row) => tableRow(context, row)));
    nodes.push({ kind: 'table', columns: COLUMNS, rows: table });
  } else {
    const none = isFiltered(filter) ? 'Nothing active matches.' : 'Nothing is active.';
    nodes.push({ kind: 'text', text: [none] });
  }
  const pages = Math.max(pagesOf(total_count), has_next ? page + 1 : 1);
  nodes.push(...(await failedNote(context, filter)));
  nodes.push(...(await pageFoot(context, 'list', filter, { page, pages, wanted }, true)));
  await context.respond(listCard(filter, total_count, nodes));
}

function listCard(filter: Filter, total: number, nodes: readonly Node[]): Card {
  const filters = Object.entries(filter).flatMap(([name, value]) =>
    value ? [`${name} ${[value].flat().join(' or ')}`] : [],
  );
  const what = `${total} ${filter.status === 'error' ? 'failed' : 'active'} ${total === 1 ? 'deployment' : 'deployments'}`;
  const title = filters.length > 0 ? `${what}: ${filters.join(', ')}` : what;
  return { kind: 'card', tone: 'neutral', title: [title], nodes };
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
    ...(version ? [{ field: 'version', operator: 'in', value: [version].flat() } as const] : []),
    // Edgegap lists what failed until somebody stops it; active it is not.
    {
      field: 'status',
      ...(status ? { operator: 'eq', value: status } : { operator: 'neq', value: 'error' }),
    },
    ...(tag ? [{ field: 'tags', operator: 'in', value: [tag].flat() } as const] : []),
  ];
}

function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}
