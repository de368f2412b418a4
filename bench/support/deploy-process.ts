/** A process with the bot's deployments, API client and store, but without chat. */

import { pino } from 'pino';
import { systemClock as clock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { Deployments } from '../../src/deployments/deployments.ts';
import { DeploymentRepository } from '../../src/deployments/repository.ts';
import { EdgegapClient } from '../../src/edgegap/client.ts';
import { MemoryPermits } from '../../src/edgegap/permits.ts';
import { createVault } from '../../src/edgegap/vault.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { SharedPermits } from '../../src/replicas/shared-permits.ts';
import { isShared } from '../../src/store/schema.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { answerParent } from './processes.ts';

const { database, edgegap } = readConfig(process.env);
const log = pino({ level: 'error', base: null }, pino.destination(2));
const account = 'bench';
const at = { platform: 'bench', workspace: 'bench', channel: 'bench' };
const nothing = () => undefined;

const store = await openStore(dialectFor(database, log));
const shared = isShared(database);
const membership = new Membership({ store, shared, clock, log });
await membership.join();
const permits = shared ? new SharedPermits({ store, clock, log, account }) : new MemoryPermits(clock);
const deployments = new Deployments({
  vault: createVault(edgegap.token ?? ''),
  repository: new DeploymentRepository(store, clock),
  edgegap: new EdgegapClient({
    baseUrl: edgegap.apiUrl,
    token: edgegap.token ?? '',
    clock,
    log,
    permits,
  }),
  membership,
  clock,
  log,
  account,
  publicUrl: nothing,
});
answerParent(({ id, tag }) =>
  deployments.deploy({
    invocationId: id,
    application: 'kart-racing',
    version: 'v1.2',
    plan: { users: [{ latitude: 45.5, longitude: -73.6 }], place: 'near Montreal', tags: [tag] },
    asker: { id: 'ann', name: 'ann' },
    at,
    card: { ...at, message: id },
  }),
);
