import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAddress } from '../../src/command/kinds/address.ts';
import { driverNames } from '../support/bot.ts';
import { deployElsewhere, deployReady, effectOf, type Stage, stageOn } from './harness.ts';

describe('an address of a server', () => {
  test.each([
    ['198.51.100.1:31504', '198.51.100.1', 31504],
    ['(198.51.100.1).', '198.51.100.1', undefined],
    ['WSS://ABC.pr.Edgegap.net:31504/play?x=1', 'abc.pr.edgegap.net', 31504],
    ['abc.pr.edgegap.net', 'abc.pr.edgegap.net', undefined],
    ['2001:DB8::1', '2001:db8::1', undefined],
    ['udp://[2001:db8::1]:7777', '2001:db8::1', 7777],
  ])('the text %s is read as the address of a server', (text, host, port) => {
    expect(readAddress(text)).toEqual({ host, port });
  });

  test.each(['93924761ccde', '@last', 'v1.2', '1.2.3', '300.1.1.1', '../x', 'a b.net', '-a.net', ':80', ''])(
    'the text %j is not read as the address of a server',
    (text) => {
      expect(readAddress(text)).toBeUndefined();
    },
  );
});

const at = (stage: Stage, id: string) => {
  const deployment = stage.simulator.deployments.get(id);
  if (!deployment) throw new Error(`The simulator has no ${id}`);
  const [port] = deployment.ports;
  return Object.assign(deployment as { publicIp: string }, { fqdn: deployment.fqdn, port: port?.external });
};
const ask = async (stage: Stage, command: string, deployment: string) => {
  const act = () => stage.driver.command('operator', command, { deployment });
  const { privately, publicly, asked } = await effectOf(stage, 'operator', act);
  return { text: privately.at(-1)?.text.replace(/[\\*`]/g, '') ?? '', publicly, asked };
};

describe.each(driverNames)('finding a deployment by an address, on %s', (name) => {
  let stage: Stage;
  let own: string;
  let other: string;
  beforeAll(async () => {
    stage = await stageOn(name);
    own = await deployReady(stage);
    other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    at(stage, own).publicIp = '198.51.100.250';
    at(stage, other).publicIp = '198.51.100.25';
    await ask(stage, 'status', own);
  });
  afterAll(() => stage?.close());

  test('a deployment made from chat is found by every form in which its address can be typed', async () => {
    const { publicIp, port, fqdn } = { ...at(stage, own) };
    for (const typed of [`${publicIp}:${port}`, fqdn, `wss://${fqdn.toUpperCase()}:${port}/`]) {
      const { text, asked } = await ask(stage, 'status', typed);
      expect(text).toContain(own);
      expect(asked).toEqual(['GET status']);
    }
    expect((await ask(stage, 'status', publicIp)).text).toContain(own);
    expect((await ask(stage, 'stop', publicIp)).text).toMatch(/Stop .*kart-racing v1\.2/);
  });

  test("a deployment made outside the chat is found by its address in Edgegap's list", async () => {
    const { publicIp, port, fqdn } = { ...at(stage, other) };
    for (const typed of [`${publicIp}:${port}`, publicIp, fqdn, `wss://${fqdn}:${port}`]) {
      const { text, asked } = await ask(stage, 'status', typed);
      expect(text).toContain(other);
      expect(asked).toEqual(['GET list', 'GET status']);
    }
  });

  test('if no deployment has the typed address, or only its port is wrong, the answer is private', async () => {
    const nowhere = await ask(stage, 'logs', '203.0.113.99:31504');
    expect(nowhere.publicly).toEqual([]);
    expect(nowhere.text).toMatch(/No active server has the address “203\.0\.113\.99:31504”/);
    const wrong = await ask(stage, 'logs', '198.51.100.25:1');
    expect(wrong.publicly).toEqual([]);
    expect(wrong.text).toContain('No server at “198.51.100.25” has the port 1.');
    expect(wrong.text).toContain(`${other} (${at(stage, other).port}`);
  });

  test('if several deployments share a typed IP address, the answer lists them with their ports', async () => {
    const third = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    at(stage, third).publicIp = '198.51.100.25';
    const { text, publicly } = await ask(stage, 'status', '198.51.100.25');
    expect(publicly).toEqual([]);
    expect(text).toContain('Several servers have the address “198.51.100.25”.');
    for (const id of [third, other]) expect(text).toContain(`${id} (${at(stage, id).port}`);
    const port = at(stage, third).port;
    expect((await ask(stage, 'status', `198.51.100.25:${port}`)).text).toContain(`request_id`);
    expect((await ask(stage, 'status', `198.51.100.25:${port}`)).text).toContain(third);
  });

  test('an ended deployment is found by its address if no running server has that address', async () => {
    const { fqdn } = { ...at(stage, own) };
    stage.simulator.terminate(own);
    await ask(stage, 'status', own);
    const { text } = await ask(stage, 'status', fqdn);
    expect(text).toContain(own);
    expect(text).toContain('Stopped');
  });
});

test('an address never finds or names a deployment of an application that is not allowed', async () => {
  const stage = await stageOn('console', { environment: { APP_ALLOWLIST: 'kart-racing' } });
  try {
    const allowed = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const hidden = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    for (const id of [allowed, hidden]) at(stage, id).publicIp = '198.51.100.7';
    expect((await ask(stage, 'status', '198.51.100.7')).text).toContain(allowed);
    for (const typed of [at(stage, hidden).fqdn, `198.51.100.7:${at(stage, hidden).port}`]) {
      const { text } = await ask(stage, 'status', typed);
      expect(text).toMatch(/that I may work with has the address|has the port/);
      expect(text.replace(typed, '')).not.toContain(hidden);
    }
  } finally {
    await stage.close();
  }
});
