import type { DeploymentView } from '../deployments/card.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import { isSettling } from '../deployments/timing.ts';
import { viewOf, viewOfStatus } from '../deployments/view.ts';
import { isNoSuchDeployment } from '../edgegap/errors.ts';
import type { Services } from './define.ts';

/**
 * Asks Edgegap for the current state of a deployment. The answer also updates the live card of the deployment. Some
 * time after the end of a deployment, Edgegap no longer knows the deployment. If the deployment came from chat, the
 * state then comes from the store. Throws EdgegapError.
 */
export async function currentView(
  { deployments, edgegap, clock }: Pick<Services, 'deployments' | 'edgegap' | 'clock'>,
  { request_id, known, seen }: DeploymentTarget,
): Promise<DeploymentView> {
  try {
    const status = seen ?? (await edgegap.status(request_id));
    const ours = await deployments.observe(status);
    return ours ? viewOf(ours) : viewOfStatus(status);
  } catch (error) {
    if (!known || !isNoSuchDeployment(error)) throw error;
    if (isSettling(known, clock.now())) return viewOf(known);
    return viewOf((await deployments.learn(known.id, { kind: 'missing' }, 'asked')) ?? known);
  }
}

/** The data that each answer about a deployment needs. */
export function answerNow({ clock, settings }: Pick<Services, 'clock' | 'settings'>) {
  return { now: clock.now(), dashboard: settings.dashboard };
}
