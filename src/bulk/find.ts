import type { Clock } from '../clock.ts';
import type { Deployment } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import { type Filter, filtersOf } from '../deployments/list-filter.ts';
import { rowOf } from '../deployments/list-row.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { DeploymentRow, Location } from '../edgegap/schema.ts';
import { BACKGROUND } from '../edgegap/transport.ts';
import type { Target } from './plan.ts';

/** The bot tells the person about the wait if it must ask Edgegap about more servers than this. */
const QUIET = 20;

type Asker = Deployment['asker'];

/**
 * The conditions that select deployments. Edgegap's list applies `filter`, and the bot itself applies the other
 * conditions.
 */
export interface Wanted {
  readonly filter: Filter;
  /**
   * Chooses a person from `askers`, the people who deployed the deployments found so far. Only deployments of the
   * chosen person match.
   */
  readonly by?: ((askers: readonly Asker[]) => Asker) | undefined;
  readonly isAt?: ((location: Location) => boolean) | undefined;
  /** If set, only deployments with these request_ids match. */
  readonly only?: ReadonlySet<string>;
  /** A tag that the deployments must not have. */
  readonly without?: string;
}

export interface Found {
  readonly targets: readonly Target[];
  /** The person that `Wanted.by` returned. */
  readonly by?: Asker | undefined;
  /**
   * The number of matching deployments. This number includes deployments that are about to end, which the plan leaves
   * out.
   */
  readonly matched: number;
  /** The number of deployments that already have the tag `Wanted.without`. `matched` excludes these deployments. */
  readonly tagged: number;
  /** The number of deployments without a known city, if the filter contains a city. */
  readonly unplaced: number;
}

/** Returns the matching deployments, newest first. Deployments that are about to end are left out. */
export async function findTargets(
  parts: { readonly edgegap: EdgegapApi; readonly deployments: Deployments; readonly clock: Clock },
  { filter, by, isAt, only, without }: Wanted,
  tell?: (foreign: number) => Promise<void>,
): Promise<Found> {
  const { edgegap, deployments, clock } = parts;
  const now = clock.now();
  const all: { readonly row: DeploymentRow; readonly known: Deployment | undefined }[] = [];
  let tagged = 0;
  for await (const row of edgegap.allDeployments({
    filters: filtersOf(filter, now),
    order_by: [{ field: 'created_at', order: 'desc' }],
  })) {
    if (only && !only.has(row.request_id)) continue;
    if (without !== undefined && row.tags.includes(without)) tagged++;
    else all.push({ row, known: await deployments.byRequestId(row.request_id) });
  }
  const person = by?.(all.flatMap(({ known }) => known?.asker ?? []));
  const found = by ? all.filter(({ known }) => known && known.asker.id === person?.id) : all;
  const foreign = found.filter(({ known }) => !known).length;
  // Slack cannot replace a private message, so the bot tells the person about the wait only once.
  if (foreign > QUIET) await tell?.(foreign);
  const listed = await Promise.all(
    found.map(({ row, known }) => rowOf(deployments, row, known, now, BACKGROUND)),
  );
  const matching = isAt ? listed.filter(({ location }) => location && isAt(location)) : listed;
  const running = matching.filter(({ status }) => status !== 'TERMINATING' && status !== 'TERMINATED');
  return {
    targets: running.map(({ cells, choice }) => ({ request_id: choice.value, cells })),
    by: person,
    matched: matching.length,
    tagged,
    unplaced: isAt ? listed.filter(({ location }) => location === undefined).length : 0,
  };
}
