import type { Card, Node } from '../src/chat/card.ts';
import { counted } from '../src/chat/facts.ts';
import {
  type Context,
  type DeploymentActionContext,
  defineCommand,
  type Services,
} from '../src/command/define.ts';
import { spellingsInUse } from '../src/command/filter-in-use.ts';
import { filterOptions } from '../src/command/filter-options.ts';
import { pageAction, pageFoot, pageOption } from '../src/command/pages.ts';
import { answerNow, currentView } from '../src/command/status-view.ts';
import { answerCard } from '../src/deployments/answer-card.ts';
import {
  type Filter,
  filtersOf,
  filterWords,
  isFiltered,
  matchesFailed,
} from '../src/deployments/list-filter.ts';
import { type ListRow, listRow, listTable } from '../src/deployments/list-row.ts';
import type { DeploymentPage } from '../src/edgegap/schema.ts';

const ROWS = 10;
/**
 * The maximum number of deployments that the filter `mine` includes. The bot takes the newest deployments of the person
 * from its database.
 */
const MOST_MINE = 200;

export default defineCommand({
  description: 'List active servers',
  topic: 'look',
  example: '--application kart-racing --status ready',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    ...filterOptions,
    page: pageOption,
  },
  actions: {
    page: pageAction<Filter>(show),
    open: { permission: 'deployments.read', ack: 'private', on: 'deployment', run: open },
  },
  run(context) {
    const { page = 1, mine, 'older-than': olderThan, ...named } = context.options;
    return show(context, { ...named, olderThan, mine: mine || undefined }, page);
  },
});

/** Shows the deployment that the person chose from the menu, as a separate card. */
async function open(context: DeploymentActionContext): Promise<void> {
  await context.respond(answerCard(await currentView(context, context.target), answerNow(context)));
}

/**
 * Reads one page of deployments from Edgegap. If the page no longer exists, reads the last page. If `ids` is given,
 * finds only deployments with these request_ids.
 */
async function read(
  { edgegap, clock }: Pick<Services, 'edgegap' | 'clock'>,
  filter: Filter,
  page: number,
  ids: readonly string[] | undefined,
): Promise<DeploymentPage> {
  if (ids?.length === 0) return { rows: [], total_count: 0, has_next: false, page: 1, messages: [] };
  const found = await edgegap.deployments({
    filters: filtersOf(filter, clock.now(), ids),
    order_by: [{ field: 'created_at', order: 'desc' }],
    page,
    limit: ROWS,
  });
  const last = pagesOf(found.total_count);
  if (page <= last) return { ...found, page };
  return await read({ edgegap, clock }, filter, last, ids);
}

function pagesOf(total: number): number {
  return Math.max(1, Math.ceil(total / ROWS));
}

/**
 * Finds a page of deployments. If no deployment matches the typed tag or version, searches again with an equivalent
 * spelling that is in use. Returns the page, and the filter that found the page. For `mine`, the request_ids come from
 * the bot's database.
 */
async function search(context: Context<unknown>, asked: Filter, wanted: number) {
  const { deployments, asker, settings } = context;
  const mine = () => deployments.askedBy(asker, MOST_MINE, settings.applicationAllowlist);
  const ids = asked.mine ? await mine() : undefined;
  const found = await read(context, asked, wanted, ids);
  const named = asked.tag ?? asked.version;
  if (found.total_count > 0 || named === undefined || ids?.length === 0) return { filter: asked, found, ids };
  const filter = await spellingsInUse(context, asked, ids);
  const isSame = filter.tag === asked.tag && filter.version === asked.version;
  return { filter, found: isSame ? found : await read(context, filter, wanted, ids), ids };
}

async function show(context: Context<unknown>, asked: Filter, wanted: number): Promise<void> {
  const { filter, found, ids } = await search(context, asked, wanted);
  const { rows, total_count, has_next, page, messages } = found;
  const now = context.clock.now();
  const table = await Promise.all(rows.map((row) => listRow(context.deployments, row, now)));
  const failed = await countFailed(context, filter, ids);
  const pages = Math.max(pagesOf(total_count), has_next ? page + 1 : 1);
  const notes = [
    ...(ids?.length === MOST_MINE ? [`I looked at your newest ${MOST_MINE} servers only.`] : []),
    ...messages.map((message) => `Edgegap: ${message}`),
  ];
  const nodes: Node[] = [
    table.length > 0 ? listTable(table) : { kind: 'text', text: [emptyText(filter)] },
    ...notes.map((note): Node => ({ kind: 'note', text: [note] })),
    ...failedNote(failed),
    ...menu(table),
    ...(await pageFoot(
      context,
      'list',
      filter,
      { page, pages, wanted },
      {
        refresh: true,
        others: otherList(filter, failed),
      },
    )),
  ];
  await context.respond(listCard(filter, total_count, nodes));
}

function emptyText(filter: Filter): string {
  const state = filter.status === 'error' ? 'failed' : 'active';
  return isFiltered(filter) ? `No ${state} server matches.` : 'No server is active.';
}

/**
 * Counts the failed deployments that match the filter. Returns 0 if the filter has a status. The bot counts in its own
 * database, because Edgegap has no list that contains both active and failed deployments.
 */
async function countFailed(
  { deployments, settings, clock }: Context<unknown>,
  filter: Filter,
  ids: readonly string[] = [],
): Promise<number> {
  if (filter.status) return 0;
  const failed = await deployments.failed(settings.applicationAllowlist);
  return failed.filter((one) => matchesFailed(one, filter, clock.now(), ids)).length;
}

function failedNote(count: number): Node[] {
  if (count === 0) return [];
  const failed = `${counted(count, 'failed server')} ${count === 1 ? 'is' : 'are'}`;
  return [{ kind: 'note', text: [`${failed} not shown.`] }];
}

function menu(table: readonly ListRow[]): Node[] {
  if (table.length === 0) return [];
  const choices = table.map(({ choice }) => choice);
  const action = { command: 'list', action: 'open', arg: '' };
  return [{ kind: 'select', placeholder: 'Open a server', choices, action }];
}

/** The button that switches from the active deployments to the failed deployments, or back. */
function otherList(filter: Filter, failed: number): Readonly<Record<string, Filter>> {
  if (filter.status === 'error') return { 'Show active': { ...filter, status: undefined } };
  return failed > 0 ? { [`Show ${failed} failed`]: { ...filter, status: 'error' } } : {};
}

function listCard(filter: Filter, total: number, nodes: readonly Node[]): Card {
  const words = filterWords({ ...filter, status: undefined });
  const noun = `${filter.status === 'error' ? 'failed' : 'active'} server`;
  const title = total === 0 ? `No ${noun}s` : counted(total, noun);
  return { kind: 'card', tone: 'neutral', title: [words ? `${title}: ${words}` : title], nodes };
}
