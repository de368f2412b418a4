import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  type Stage,
  stageOn,
  typeLine,
} from '../command/harness.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await stageOn('console', { clock: pacedClock(5) });
});
afterAll(() => stage?.close());

const run = async (line: string) => {
  const effect = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
  return { ...effect, text: [...effect.privately, ...effect.publicly].map(({ text }) => text).join('\n') };
};
const press = async (label: string) => {
  const effect = await effectOf(stage, 'operator', () => stage.driver.press('operator', label));
  return { ...effect, text: [...effect.privately, ...effect.publicly].map(({ text }) => text).join('\n') };
};

describe('the status command', () => {
  test('the command "status" shows the address, ports, city and tags, even for a deployment made outside the chat', async () => {
    const ours = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    for (const [id, name] of [
      [ours, 'kart-racing v1.2'],
      [other, 'lobby-chat stable'],
      [ours.slice(0, 7), 'kart-racing v1.2'],
      ['@last', 'kart-racing'],
    ] as const) {
      const { text, publicly } = await run(`status ${id}`);
      expect(publicly).toEqual([]);
      expect(text).toContain(name);
      expect(text).toMatch(/│ Ready /);
      expect(text).toMatch(/[0-9a-f]+\.pr\.edgegap\.net:\d+ http \(\w+\)/);
      expect(text).toMatch(/Montreal, Canada[\s\S]*IP/);
      expect(text).not.toContain('chatops-');
    }
  });

  test('the command "status" shows a terminated deployment without an address and without buttons', async () => {
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    stage.simulator.terminate(other);
    const { text, privately } = await run(`status ${other}`);
    expect(text).toMatch(/^│ Stopped /m);
    expect(text).not.toContain('.pr.edgegap.net');
    expect(privately[0]?.buttons).toEqual([]);
  });

  test('if Edgegap no longer knows a deployment, the command "status" shows the deployment as terminated', async () => {
    const ours = await deployReady(stage);
    stage.simulator.terminate(ours);
    await until(async () => (await run(`status ${ours}`)).text.includes('Stopped'), 'the end to be known');
    stage.simulator.forget(ours);
    expect((await run(`status ${ours}`)).text).toMatch(/kart-racing v1\.2[\s\S]*Stopped/);
    expect((await run(`stop ${ours}`)).text).toContain('has already stopped');
  });

  test('the command "status" shows an unknown status under the name that Edgegap uses', async () => {
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const deployment = stage.simulator.deployments.get(other);
    deployment?.history.push({ phase: 'HIBERNATING' as never, at: Date.now() });
    expect((await run(`status ${other}`)).text).toMatch(/^│ HIBERNATING$/m);
  });

  test('if a server has failed, the command "status" shows Edgegap\'s message with secrets masked', async () => {
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    stage.simulator.fail(other, 'pull failed: https://robot:hunter2@registry.example/x');
    const { text } = await run(`status ${other}`);
    expect(text).toMatch(/^│ Failed /m);
    expect(text).toContain('pull failed: https://robot:[masked]@registry.example/x');
  });
});

describe('the stop command', () => {
  test('the command "stop" asks for confirmation, and a second stop says that the deployment has already stopped', async () => {
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const asked = await run(`stop ${other}`);
    expect(asked.text).toContain('Stop lobby-chat stable?');
    expect(asked.text).toContain(other);
    expect(asked.text).toMatch(/disconnected.*cannot be undone/);
    expect(asked.privately[0]?.buttons).toEqual(['Stop it', 'Keep it']);
    const kept = await press('Keep it');
    expect(kept.text).toContain('Nothing was stopped');
    expect(kept.privately[0]?.buttons).toEqual([]);
    expect(phase(stage.simulator, other)).toBe('READY');
    await run(`stop ${other}`);
    await run(`stop ${other}`);
    expect((await press('Stop it')).text).toMatch(new RegExp(`Stopping lobby-chat stable[^]*${other}`));
    await until(() => phase(stage.simulator, other) === 'TERMINATED', 'the end');
    const again = await press('Stop it');
    expect(again.text).toContain('has already stopped');
    expect(again.text).not.toMatch(/error|✗/i);
    expect((await run(`stop ${other}`)).text).toContain('has already stopped');
  });

  test('the command "stop" asks for no confirmation if the deployment is already stopping', async () => {
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const deployment = stage.simulator.deployments.get(other);
    deployment?.history.push({ phase: 'TERMINATING', at: Date.now() });
    const { text, privately } = await run(`stop ${other}`);
    expect(text).toContain('is stopping already');
    expect(privately[0]?.buttons).toEqual([]);
  });
});

describe('the tags command', () => {
  test('the command "tags" lists, adds, removes and renames tags, and never shows the bot\'s own tag', async () => {
    const ours = await deployReady(stage);
    expect((await run(`tags ${ours}`)).text).toContain('The server has no tags.');
    const added = await run(`tags ${ours} add qa`);
    expect(added.privately.map(({ text }) => text).join()).toContain(`Added qa to ${ours}`);
    // Only the live card shows the change to everyone.
    expect(added.publicly.every(({ text }) => /tags qa/.test(text))).toBe(true);
    expect((await run(`tags ${ours} add "two words"`)).text).toContain('Added two words');
    expect((await run(`tags ${ours} rename qa final`)).text).toContain(`Renamed qa to final on ${ours}`);
    expect((await run(`tags ${ours} remove "two words"`)).text).toContain('Removed two words from');
    const { text, publicly } = await run(`tags ${ours} list`);
    expect(publicly).toEqual([]);
    expect(text).toContain('final');
    expect(text).not.toContain('chatops-');
    const names = stage.simulator.deployments.get(ours)?.tags.map(({ name }) => name);
    expect(names).toEqual([expect.stringMatching(/^chatops-/), 'final']);
    const [card] = (await stage.driver.channel()).filter((message) => message.text.includes(ours));
    expect(card?.text).toMatch(/tags final/);
  });

  test('adding a tag is confirmed even if the tags cannot be read afterwards', async () => {
    const ours = await deployReady(stage);
    const { faults, requests } = stage.simulator;
    faults.next({ endpoint: 'addTag' }, { kind: 'slow', when: 'before', ms: 500 });
    const answer = run(`tags ${ours} add late`);
    await until(() => requests.some(({ endpoint, path }) => endpoint === 'addTag' && path.includes(ours)));
    faults.next({ endpoint: 'tags' }, { kind: 'server-error', when: 'before' }, 3);
    expect((await answer).text).toContain(`Added late to ${ours}`);
    expect(stage.simulator.deployments.get(ours)?.tags.map(({ name }) => name)).toContain('late');
  });
});

describe('the deploy command', () => {
  const orderOf = async (line: string) => {
    const { simulator } = stage;
    const before = simulator.requests.length;
    await run(line);
    const order = simulator.requests.slice(before).find(({ endpoint }) => endpoint === 'deploy');
    const body = order?.body as { users: { user_type: string }[]; tags: string[] } | undefined;
    return { users: body?.users, tags: body?.tags.filter((tag) => !tag.startsWith('chatops-')) };
  };
  const city = { user_type: 'geo_coordinates', user_data: { latitude: 35.6762, longitude: 139.6503 } };
  const ip = (ip_address: string) => ({ user_type: 'ip_address', user_data: { ip_address } });

  test('the command "deploy" accepts a city, addresses of players or both, and also accepts tags', async () => {
    const near = await orderOf('deploy kart-racing v1.2 --near tokyo --tag qa --tag beta,qa');
    expect(near.users?.map(({ user_type }) => user_type)).toEqual([city.user_type]);
    expect(near.tags).toEqual(['qa', 'beta']);
    expect(await orderOf('deploy kart-racing v1.2 --ip 203.0.113.7,2001:db8::1')).toEqual({
      users: [ip('203.0.113.7'), ip('2001:db8::1')],
      tags: [],
    });
    const both = await orderOf('deploy kart-racing v1.2 --near “Tokyo, Japan” —ip 203.0.113.7');
    expect(both.users?.map(({ user_type }) => user_type)).toEqual([city.user_type, 'ip_address']);
    expect(await orderOf('deploy kart-racing v1.2 --near montréal')).toMatchObject({ tags: [] });
  });

  test('a deploy does not show the addresses of players in the channel', async () => {
    await run('deploy kart-racing v1.2 --ip 203.0.113.7');
    const all = (await stage.driver.channel()).map(({ text }) => text).join('\n');
    expect(all).not.toContain('203.0.113.7');
  });

  test('a deploy without a location goes to the location in DEFAULT_NEAR', async () => {
    const other = await stageOn('console', { environment: { DEFAULT_NEAR: 'São Paulo' } });
    try {
      await deployNear(other);
      expect([...other.simulator.deployments.values()][0]?.city.city).toBe('São Paulo');
    } finally {
      await other.close();
    }
  });
});

async function deployNear(other: Stage): Promise<void> {
  await effectOf(other, 'operator', () => typeLine(other, 'operator', 'deploy kart-racing v1.2'));
  await until(() => other.simulator.deployments.size === 1, 'the deployment');
}

describe('the help command', () => {
  test('the command "help" lists every command and can explain a single command', async () => {
    const { text } = await run('help');
    for (const name of ['deploy', 'help', 'list', 'logs', 'status', 'stop', 'tags'])
      expect(text).toContain(name);
    const one = (await run('help /Deploy')).text;
    expect(one).toContain(
      'deploy <application> [<version>] [--near <city>] [--ip <a,b>] [--tag <a,b>] [--env <KEY=VALUE>]',
    );
    expect(one).toContain('For example: deploy kart-racing v1.2 --near Montreal --tag qa');
    expect((await run('help stop')).text).toMatch(/deployment \(required\).*\n.*\bin:? (?!.*required)/);
    expect((await run('help frobnicate')).text).toMatch(/no command “frobnicate” for you here/);
  });
});
