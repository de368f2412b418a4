import type { DeploymentView } from '../cards/deployment-card.ts';
import { viewOf, viewOfStatus } from '../deployments/view.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import type { DeploymentTarget, Services } from './services.ts';

/** One this young may not be known everywhere at Edgegap yet; the reconciler waits as long. */
const SETTLING_MS = 30_000;

/**
 * A deployment as Edgegap sees it now, which is news for its own card too. Edgegap forgets a deployment some time after
 * it ended; of one of ours we still know how it went. Throws EdgegapError.
 */
export async function look(
  { deployments, edgegap, clock }: Pick<Services, 'deployments' | 'edgegap' | 'clock'>,
  { request_id, known, seen }: DeploymentTarget,
): Promise<DeploymentView> {
  try {
    const status = seen ?? (await edgegap.status(request_id));
    const ours = await deployments.observe(status);
    return ours ? viewOf(ours) : viewOfStatus(status);
  } catch (error) {
    const forgotten = error instanceof EdgegapError && error.code === 'edgegap-no-such-deployment';
    if (!known || !forgotten) throw error;
    const young = clock.now() - (known.acceptedAt ?? known.createdAt) < SETTLING_MS;
    if (young || known.endedAt !== undefined) return viewOf(known);
    return viewOf((await deployments.learn(known.id, { kind: 'gone' }, 'asked')) ?? known);
  }
}
