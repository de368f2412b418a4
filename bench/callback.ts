/**
 * What exactness costs a callback: A goes to the bot's own route (secret compared, row committed to SQLite on disk with
 * synchronous=FULL, then 200; card and line are written after), B to a bare Fastify route that answers 200 at once.
 * Edgegap waits ten seconds for the answer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastify } from 'fastify';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { systemClock as clock } from '../src/clock.ts';
import { Callbacks } from '../src/deployments/callbacks.ts';
import { Deployments } from '../src/deployments/deployments.ts';
import { DeploymentRepository } from '../src/deployments/repository.ts';
import { EdgegapClient } from '../src/edgegap/client.ts';
import { buildServer } from '../src/server/server.ts';
import { sqliteDialect } from '../src/store/sqlite.ts';
import { openStore } from '../src/store/store.ts';
import type { Bench } from './support/bench.ts';
import { sideBySide } from './support/side-by-side.ts';

const BATCH = 100;
const ROUNDS = 15;

export const bench: Bench = {
  about: 'A callback until it is answered, against a bare Fastify route that stores nothing.',
  bar: undefined,
  async run(print) {
    const folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-bench-'));
    const log = pino({ level: 'silent' });
    const store = await openStore(sqliteDialect(join(folder, 'bench.db')));
    const repository = new DeploymentRepository(store, clock);
    const edgegap = new EdgegapClient({ baseUrl: 'http://127.0.0.1:9', token: 'none', clock, log });
    const nothing = () => undefined;
    const deployments = new Deployments({
      repository,
      edgegap,
      clock,
      log,
      account: 'bench',
      publicUrl: () => undefined,
      wakeOutbox: nothing,
      wakeReconciler: nothing,
    });
    const callbacks = new Callbacks({ store, repository, deployments, clock, log, wakeReconciler: nothing });
    const server = buildServer({ callbacks, mounts: [], readiness: async () => ({ parts: {} }), clock, log });
    const url = `http://127.0.0.1:${await server.listen(0)}`;
    const bare = fastify();
    bare.post('/callbacks/:event/:token', async () => ({ status: 'stored' }));
    const bareUrl = await bare.listen({ port: 0, host: '127.0.0.1' });
    const dispatcher = new Agent({ connections: 8 });

    const at = { platform: 'bench', workspace: 'bench', channel: 'bench' };
    const paths: { path: string; requestId: string }[] = [];
    for (let index = 0; index < BATCH * (ROUNDS + 1); index++) {
      const { deployment } = await repository.create({
        account: 'bench',
        invocationId: `bench-${index}`,
        application: 'kart-racing',
        version: 'v1.2',
        plan: { users: [], place: 'near Montreal', tags: [] },
        asker: { id: 'bench', name: 'bench' },
        at,
        card: { ...at, message: String(index) },
      });
      paths.push({
        path: `/callbacks/edgegap/ready/${deployment.id}.${deployment.secret}`,
        requestId: `bench${index}`,
      });
    }

    async function post(target: string, requestId: string): Promise<void> {
      const body = JSON.stringify({ request_id: requestId, current_status: 'Status.READY' });
      const headers = { 'content-type': 'application/json' };
      const answer = await request(target, { method: 'POST', body, headers, dispatcher });
      if (answer.statusCode !== 200) throw new Error(`Answered ${answer.statusCode}`);
      await answer.body.dump();
    }

    let used = 0;
    const { ratio } = await sideBySide({
      print,
      a: {
        name: 'the bot',
        async run() {
          const batch = paths.slice(used, used + BATCH);
          used += BATCH;
          await Promise.all(batch.map(({ path, requestId }) => post(url + path, requestId)));
        },
      },
      b: {
        name: 'a bare Fastify route',
        async run() {
          await Promise.all(
            paths.slice(0, BATCH).map(({ requestId }) => post(`${bareUrl}/callbacks/ready/x`, requestId)),
          );
        },
      },
      rounds: ROUNDS,
      batch: BATCH,
    });
    await callbacks.work();
    await dispatcher.close();
    await bare.close();
    await server.close();
    await edgegap.close();
    await store.destroy();
    await rm(folder, { recursive: true, force: true });
    return { ratio };
  },
};
