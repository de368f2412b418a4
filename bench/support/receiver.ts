import { randomBytes } from 'node:crypto';
import type { Insertable } from 'kysely';
import { systemClock as clock } from '../../src/clock.ts';
import { Callbacks } from '../../src/deployments/callbacks.ts';
import { Deployments } from '../../src/deployments/deployments.ts';
import { DeploymentRepository } from '../../src/deployments/repository.ts';
import type { EdgegapApi } from '../../src/edgegap/client.ts';
import { createVault } from '../../src/edgegap/vault.ts';
import type { Logger } from '../../src/log.ts';
import { buildServer } from '../../src/server/server.ts';
import type { DeploymentsTable, Store } from '../../src/store/schema.ts';
import { deploymentRows, insertAll } from './deployments.ts';
import type { Load } from './load.ts';

/** The part of the bot that receives Edgegap's callbacks, on its own port. */
export async function openReceiver(store: Store, log: Logger) {
  const repository = new DeploymentRepository(store, clock);
  const deployments = new Deployments({
    repository,
    vault: createVault('bench'),
    edgegap: {} as EdgegapApi,
    membership: { id: 'bench', sinceNow: () => () => true },
    clock,
    log,
    account: 'bench',
    publicUrl: () => 'http://bench.example',
  });
  const callbacks = new Callbacks({ store, repository, deployments: () => deployments, clock, log });
  const server = buildServer({
    callbacks,
    mounts: [],
    readiness: async () => ({ ready: true, parts: {} }),
    clock,
    log,
  });
  const origin = `http://127.0.0.1:${await server.listen(0)}`;
  return {
    origin,
    callbacks,
    /**
     * Stores `count` deployments that Edgegap has accepted. Returns their request_ids and the `ready` callbacks of
     * their servers. `more` returns the columns that differ from row to row.
     */
    async deployed(
      count: number,
      more: (index: number) => Partial<Insertable<DeploymentsTable>> = () => ({}),
    ): Promise<{ readonly ids: string[]; readonly posts: Load['posts'] }> {
      const rows = deploymentRows(count, (index) => ({
        phase: 'live',
        request_id: randomBytes(6).toString('hex'),
        ...more(index),
      }));
      await insertAll(store, rows);
      return {
        ids: rows.map(({ request_id }) => String(request_id)),
        posts: rows.map(({ id, secret, request_id }) => ({
          path: `/callbacks/edgegap/ready/${id}.${secret}`,
          body: JSON.stringify({
            request_id,
            current_status: 'Status.READY',
            fqdn: `${request_id}.example`,
          }),
        })),
      };
    },
    async close(): Promise<void> {
      await server.close();
      await callbacks.stop();
    },
  };
}
