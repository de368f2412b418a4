import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployment } from '../../src/command/kinds/deployment.ts';
import { loadCommands } from '../../src/command/load.ts';
import { requestId } from '../../src/simulator/identity.ts';
import {
  AT_ONCE,
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  pressAction,
  type Stage,
  stageOn,
} from '../command/harness.ts';
import { startBot } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';

const directory = await loadCommands(join(import.meta.dirname, '..', '..', 'commands'));

/** Every command that takes a request_id, with values for its other required options. */
const keyed = directory.all
  .flatMap(({ entries }) => entries)
  .filter(({ options }) => Object.values(options).some(({ kind }) => kind === deployment))
  .map(({ name }) => name);
const extra: Readonly<Record<string, Values>> = {
  'tags show': { tag: 'qa' },
  'tags add': { tag: 'new' },
  'tags remove': { tag: 'qa' },
  'tags rename': { tag: 'qa', 'new-name': 'new' },
};
const buttons = directory.all.flatMap(({ name, actions }) =>
  Object.entries(actions)
    .filter(([, { on }]) => on === 'deployment')
    .map(([action]) => ({ command: name, action })),
);

test('the allowlist tests know every command and button that takes a request_id', () => {
  expect(keyed).toEqual([
    'logs',
    'metrics',
    'status',
    'stop',
    'tags list',
    'tags show',
    'tags add',
    'tags remove',
    'tags rename',
  ]);
  expect(buttons.map(({ command, action }) => `${command}:${action}`)).toEqual([
    'deploy:extend',
    'deploy:keep',
    'list:open',
    'logs:show',
    'logs:share',
    'logs:refresh',
    'logs:follow',
    'metrics:show',
    'metrics:window',
    'orphans:open',
    'orphans:refresh',
    'orphans:adopt',
    'status:refresh',
    'stop:ask',
    'stop:confirm',
    'tags:show',
  ]);
});

describe.each(['discord', 'slack-http'] as const)('APP_ALLOWLIST on %s', (name) => {
  let folder: string;
  let stage: Stage;
  /** A deployment that the store contains, and a deployment that the store does not contain. */
  const ids = { known: '', unknown: '' };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatops-'));
    const environment = { DATABASE_URL: join(folder, 'bot.db') };
    stage = await stageOn(name, { environment });
    ids.known = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
    ids.unknown = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
    await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await stage.bot.app.stop();
    // From now on, the allowlist forbids kart-racing.
    stage.bot = await startBot(stage.driver, {
      clock: pacedClock(1),
      edgegap: stage.simulator,
      environment: { ...environment, APP_ALLOWLIST: 'lobby-chat' },
      simulator: AT_ONCE,
    });
    await stage.bot.app.warmed();
  });
  afterAll(async () => {
    await stage?.bot.app.stop();
    await stage?.simulator.close();
    await stage?.driver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const refused = async (what: string, which: keyof typeof ids, act: () => Promise<void>) => {
    const effect = await effectOf(stage, 'operator', act);
    expect(effect.publicly, what).toEqual([]);
    const answer = effect.privately.map(({ text }) => text).join('\n');
    expect(answer, what).toContain('not on my allowlist');
    expect(answer, what).not.toMatch(/kart-racing|edgegap\.net|Montreal|\bqa\b/);
    // For a deployment made outside the chat, only the status names the application.
    expect(effect.asked.filter((call) => call !== 'GET status')).toEqual([]);
    if (which === 'known') expect(effect.asked).toEqual([]);
    expect(phase(stage.simulator, ids[which])).toBe('READY');
    const tags = stage.simulator.deployments.get(ids[which])?.tags.map((tag) => tag.name) ?? [];
    expect(tags.filter((tag) => !tag.startsWith('chatops-'))).toEqual(['qa']);
  };

  describe.each(['known', 'unknown'] as const)('a forbidden deployment that is %s to the store', (which) => {
    test.each(keyed)(
      'the command "%s" is refused for a deployment whose application is not on APP_ALLOWLIST',
      async (command) => {
        await refused(command, which, () =>
          stage.driver.command('operator', command, { deployment: ids[which], ...extra[command] }),
        );
      },
    );

    test.each(buttons)(
      'the button $command:$action is refused for a deployment whose application is not on APP_ALLOWLIST',
      async ({ command, action }) => {
        await refused(`${command}:${action}`, which, () =>
          pressAction(stage, 'operator', { command, action, arg: ids[which] }),
        );
      },
    );
  });

  test('a deployment outside APP_ALLOWLIST is refused even if the person types @last or the first characters of its request_id', async () => {
    for (const deployment of [ids.known.slice(0, 6), '@last'])
      await refused(deployment, 'known', () => stage.driver.command('operator', 'status', { deployment }));
  });

  test('the command "list" shows only applications on APP_ALLOWLIST, and refuses a filter by any other application', async () => {
    const list = await effectOf(stage, 'operator', () => stage.driver.command('operator', 'list'));
    const text = list.privately.map((message) => message.text).join('\n');
    expect(text).toContain('1 active server');
    expect(text).toContain('lobby-chat');
    expect(text).not.toContain('kart-racing');
    const filtered = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'list', { application: 'kart-racing' }),
    );
    expect(filtered.privately[0]?.text).toMatch(/no application .kart-racing.*There is.*lobby-chat/s);
  });

  test('a deployment outside APP_ALLOWLIST is refused even if Edgegap no longer knows the deployment', async () => {
    stage.simulator.forget(ids.known);
    const status = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'status', { deployment: ids.known }),
    );
    expect(status.publicly).toEqual([]);
    expect(status.privately[0]?.text).toContain('not on my allowlist');
    expect(status.privately[0]?.text).not.toContain('edgegap.net');
  });

  test('if an application is not on APP_ALLOWLIST, a deploy is answered as if the application did not exist', async () => {
    const deployments = stage.simulator.deployments.size;
    const effect = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'deploy', {
        application: 'kart-racing',
        version: 'v1.2',
        near: 'Tokyo',
      }),
    );
    expect(effect.publicly).toEqual([]);
    expect(effect.privately[0]?.text).toContain('There is no application');
    expect(stage.simulator.deployments.size).toBe(deployments);
  });
});

/** With this seed, the request_ids of the simulator's first deployments begin with the same characters. */
const seed = Array.from({ length: 100_000 }, (_, n) => `alike-${n}`).find((one) => {
  const [first, ...rest] = [0, 1, 2, 3].map((n) => requestId(one, n).charAt(0));
  return rest.every((character) => character === first);
});

test('if the first characters of a request_id are ambiguous, only deployments of applications on APP_ALLOWLIST are offered', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  const environment = { DATABASE_URL: join(folder, 'bot.db') };
  const stage = await stageOn('console', { environment, simulator: { seed: seed ?? '' } });
  try {
    const hidden = await deployReady(stage, 'lobby-chat', 'stable');
    const shown = [await deployReady(stage), await deployReady(stage)];
    const begin = hidden.charAt(0);
    expect(shown.map((id) => id.charAt(0))).toEqual([begin, begin]);
    await stage.bot.app.stop();
    stage.bot = await startBot(stage.driver, {
      clock: pacedClock(1),
      edgegap: stage.simulator,
      environment: { ...environment, APP_ALLOWLIST: 'kart-racing' },
      simulator: AT_ONCE,
    });
    await stage.bot.app.warmed();
    const { privately } = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'status', { deployment: begin }),
    );
    const text = privately.map((message) => message.text).join('\n');
    for (const id of shown) expect(text).toContain(id);
    expect(text).not.toContain(hidden);
  } finally {
    await stage.close();
    await stage.simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
