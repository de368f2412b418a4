import type { Choice, Rich } from '../chat/card.ts';
import { withoutOwnTags } from '../edgegap/outside.ts';
import { type DeploymentRow, type Location, parseEdgegapTime } from '../edgegap/schema.ts';
import type { CallOptions } from '../edgegap/transport.ts';
import { roughly, statusFace } from './card.ts';
import type { Deployment } from './deployment.ts';
import type { KnownDeployments } from './known.ts';
import { linkOf, viewOf, viewOfStatus } from './view.ts';

export const COLUMNS = ['request_id', 'application', 'status', 'age', 'city', 'by', 'address', 'tags'];

/** The display order of the columns. The widest columns come last, among them the request_id, which people copy. */
const READ = ['application', 'status', 'city', 'age', 'by', 'request_id', 'tags', 'address'];
/** The title of a column, if the title differs from the column's name. */
const TITLES: Readonly<Record<string, string>> = { application: 'server' };

/** A row of the list for people: its cells in the order of COLUMNS, and its entry in a menu. */
export interface ListRow {
  readonly cells: readonly string[];
  readonly choice: Choice;
  /** The status of Edgegap without the prefix `Status.`. */
  readonly status: string;
  readonly location: Location | undefined;
}

/**
 * Returns the row of a deployment in Edgegap's list. The list contains neither the application nor the status. The bot
 * takes both values from the store if possible, and otherwise from Edgegap's status.
 */
export async function listRow(
  deployments: KnownDeployments,
  row: DeploymentRow,
  now: number,
): Promise<ListRow> {
  return await rowOf(deployments, row, await deployments.byRequestId(row.request_id), now);
}

/** Works like `listRow`, but takes `known`, the stored deployment, from the caller. */
export async function rowOf(
  deployments: KnownDeployments,
  row: DeploymentRow,
  known: Deployment | undefined,
  now: number,
  call?: CallOptions,
): Promise<ListRow> {
  const { request_id } = row;
  const seen = known ? undefined : await deployments.statusInList(row, call);
  const view = known ? viewOf(known) : seen && viewOfStatus(seen);
  const believed = view?.status ?? 'DEPLOYING';
  // The list may show that the deployment is ready before the bot learns this from a callback or a status.
  const status = row.ready && (!view || statusFace(believed).tone === 'progress') ? 'READY' : believed;
  const begun = known?.createdAt ?? parseEdgegapTime(row.start_time);
  const application = view ? `${view.application} ${view.version}`.trim() : '';
  const { words } = statusFace(status);
  const city = view?.told?.location?.city ?? '';
  return {
    cells: [
      request_id,
      application,
      words,
      begun === undefined ? '' : roughly(now - begun),
      city,
      known?.asker.name ?? '',
      addressOf(row),
      withoutOwnTags(row.tags).join(', '),
    ],
    choice: {
      label: `${application} ${request_id}`.trim(),
      detail: [words, city].filter((part) => part).join(' · '),
      value: request_id,
    },
    status,
    location: view?.told?.location,
  };
}

/** A table of the rows. Columns that are empty in every row are left out. */
export function listTable(rows: readonly Pick<ListRow, 'cells'>[]) {
  const columns = READ.map((name) => COLUMNS.indexOf(name)).filter((column) =>
    rows.some(({ cells }) => cells[column]),
  );
  const kept = (items: readonly string[]) => columns.map((column) => items[column] ?? '');
  return {
    kind: 'table',
    caption: 'Servers, the newest first',
    columns: kept(COLUMNS).map((name) => TITLES[name] ?? name),
    rows: rows.map(({ cells }) => kept(cells)),
    entries: rows.map(({ cells }) => entryOf(cells)),
  } as const;
}

/** A row as two lines: first the server's state, then the text to copy. Most addresses contain the request_id. */
function entryOf(cells: readonly string[]): Rich {
  const [id = '', application = '', status, age, city, by, address = '', tags = ''] = cells;
  const state = [status, city, age, by && `by ${by}`].flatMap((part) => (part ? [` · ${part}`] : []));
  const copied = address.includes(id) ? [address] : [id, ...(address === '' ? [] : [address])];
  return [
    { bold: application || id },
    ...state,
    ...copied.flatMap((text, index): Rich => [index === 0 ? '\n' : ' · ', { code: text }]),
    tags === '' ? '' : ` · ${tags}`,
  ];
}

function addressOf(row: DeploymentRow): string {
  if (!row.ready) return '';
  const [port] = Object.values(row.ports);
  const host = row.fqdn ?? row.public_ip;
  return (port && linkOf(host, port)) ?? host ?? '';
}
