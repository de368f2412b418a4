import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { OwnDeployment } from '../command/define.ts';
import type { Config } from '../config.ts';
import { selfStop } from '../edgegap/self-stop.ts';
import type { Logger } from '../log.ts';
import { countOutbox } from '../notify/report.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';

interface Parts extends Pick<Config, 'edgegap' | 'selfStop'> {
  readonly store: Store;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The deployment of Edgegap in which this process runs. Undefined if the process does not run on Edgegap. */
export function openOwnDeployment(parts: Parts): OwnDeployment | undefined {
  const { edgegap, selfStop: own, store, membership, clock, log } = parts;
  if (!own) return undefined;
  // Usually the address contains the id of the deployment. For any other address, a hash of the address keeps different
  // deployments apart.
  const id = /\/self\/stop\/([A-Za-z0-9]{1,64})\//.exec(own.url)?.[1];
  return {
    id: id ?? `unknown-${createHash('sha256').update(own.url).digest('hex').slice(0, 8)}`,
    async effects() {
      const [processes, { waiting }] = await Promise.all([membership.countAlive(), countOutbox(store)]);
      return { processes, waiting };
    },
    stop: (logStorage) => selfStop({ ...own, logStorage, clock, log, proxy: edgegap.proxy }),
  };
}
