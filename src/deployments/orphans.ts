import type { Choice } from '../chat/card.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { idOfOwnTag } from '../edgegap/outside.ts';
import { type DeploymentRow, parseEdgegapTime } from '../edgegap/schema.ts';
import { roughly } from './card.ts';
import type { Deployment } from './deployment.ts';
import type { KnownDeployments } from './known.ts';
import type { PlannedStops } from './planned-stops.ts';
import { viewOfStatus } from './view.ts';

const HOUR_MS = 60 * 60_000;

/** An active server for which no person in chat is responsible. */
export interface Orphan {
  readonly row: DeploymentRow;
  /**
   * The server's row in the store. Set if the server was deployed or adopted from chat, but the responsible person has
   * left.
   */
  readonly known: Deployment | undefined;
}

/**
 * Returns the active servers for which no person is responsible, oldest first. These are servers that were not deployed
 * or adopted from chat, and servers without a lifetime whose responsible person has left. Servers with a planned stop
 * are left out.
 */
export async function orphansOf(parts: {
  readonly edgegap: EdgegapApi;
  readonly deployments: KnownDeployments;
  readonly plannedStops: PlannedStops;
  readonly hasLeft: (person: Deployment['asker'], at: Deployment['at']) => Promise<boolean>;
}): Promise<readonly Orphan[]> {
  const { edgegap, deployments, plannedStops } = parts;
  const found: Orphan[] = [];
  const answers = new Map<string, Promise<boolean>>();
  const isCared = async ({ asker, at, plan }: Deployment) => {
    if (plan.lifetime) return true;
    const person = JSON.stringify([at.platform, at.workspace, asker.id]);
    const answer = answers.get(person) ?? parts.hasLeft(asker, at);
    answers.set(person, answer);
    return !(await answer);
  };
  const order_by = [{ field: 'created_at', order: 'asc' }] as const;
  for await (const row of edgegap.allDeployments({ order_by })) {
    const { request_id } = row;
    const known = await deployments.byRequestId(request_id);
    if (known ? await isCared(known) : await isOfOwnDeploy(deployments, row)) continue;
    if (!(await plannedStops.of(request_id))) found.push({ row, known });
  }
  return found;
}

/**
 * Whether the server comes from a deploy in chat whose outcome was unknown. The bot recognises the server by its own
 * tag and assigns the server to that deploy, so people cannot adopt the server.
 */
export async function isOfOwnDeploy(
  deployments: KnownDeployments,
  { request_id, tags }: Pick<DeploymentRow, 'request_id' | 'tags'>,
): Promise<boolean> {
  const id = idOfOwnTag(tags);
  const own = id === undefined ? undefined : await deployments.byId(id);
  if (!own || own.requestId !== undefined) return false;
  await deployments.learn(own.id, { kind: 'accepted', requestId: request_id }, 'asked');
  return true;
}

/** The cells that show the deployment in the list, and its entry in the menu. */
export async function orphanRow(
  deployments: KnownDeployments,
  { row, known }: Orphan,
  now: number,
): Promise<{ readonly cells: readonly string[]; readonly choice: Choice }> {
  const { request_id } = row;
  const status = await deployments.statusInList(row);
  const view = status && viewOfStatus(status);
  const since = parseEdgegapTime(row.start_time);
  const application = view ? `${view.application} ${view.version}`.trim() : '';
  const runs = since === undefined ? undefined : now - since;
  const detail = [application, runs === undefined ? '' : `runs for ${roughly(runs)}`, view?.place ?? ''];
  return {
    cells: [
      request_id,
      application,
      known ? `${known.asker.name} (left)` : '',
      utc(since),
      runs === undefined ? '' : (runs / HOUR_MS).toFixed(1),
      view?.endsAt === undefined ? 'never' : utc(view.endsAt),
      status?.location?.city ?? '',
    ],
    choice: { label: request_id, detail: detail.filter(Boolean).join(' · '), value: request_id },
  };
}

/** A text such as `2026-03-03 16:00`. */
function utc(time: number | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}
