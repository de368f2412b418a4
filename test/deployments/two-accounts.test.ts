import { type SqlBool, sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commandFolder } from '../command/command-folder.ts';
import { until } from '../support/test-clock.ts';
import { STILL } from './harness.ts';
import { openTwo, type Studio } from './two-accounts.ts';
import { openWatch } from './watch.ts';

/** A command that suggests the applications of an account while a person types. */
const PICK = `
import { defineCommand } from '../src/command/define.ts';

const suggest = async ({ catalog }) => (await catalog.applications()).map(({ name }) => name);

export default defineCommand({
  description: 'Pick an application',
  permission: 'deployments.read',
  ack: 'private',
  options: { application: { kind: 'string', positional: true, description: 'The application', suggest } },
  run: ({ respond }) => respond({ kind: 'line', tone: 'neutral', text: ['Picked'] }),
});
`;

/** A request_id that neither organisation has. */
const NOWHERE = 'fedcba987654';

/** Every command and button that takes a request_id. */
const uses: Readonly<Record<string, (studio: Studio, id: string) => Promise<string>>> = {
  'status of a request_id': (studio, id) => studio.say(`status ${id}`),
  'status of the beginning of a request_id': (studio, id) => studio.say(`status ${id.slice(0, 7)}`),
  'status of a request_id in capitals': (studio, id) => studio.say(`status ${id.toUpperCase()}`),
  'status of an address': (studio, id) => studio.say(`status wss://${id}.pr.edgegap.net:31504`),
  'stop of a request_id': (studio, id) => studio.say(`stop ${id}`),
  'stop of the beginning of a request_id': (studio, id) => studio.say(`stop ${id.slice(0, 7)}`),
  logs: (studio, id) => studio.say(`logs ${id}`),
  tags: (studio, id) => studio.say(`tags ${id}`),
  'tags add': (studio, id) => studio.say(`tags add ${id} taken-over`),
  'tags remove': (studio, id) => studio.say(`tags remove ${id} qa`),
  'the menu of list': (studio, arg) => studio.press({ command: 'list', action: 'open', arg }),
  'the button Refresh': (studio, arg) => studio.press({ command: 'status', action: 'refresh', arg }),
  'the button Stop': (studio, arg) => studio.press({ command: 'stop', action: 'ask', arg }),
  'the button Stop it': (studio, arg) => studio.press({ command: 'stop', action: 'confirm', arg }),
  'the button Logs': (studio, arg) => studio.press({ command: 'logs', action: 'show', arg }),
};

/** The answer with the word `request_id` in place of the request_id and its beginning. */
function withoutId(answer: string, id: string): string {
  const spellings = [id, id.toUpperCase(), id.slice(0, 7)];
  return spellings.reduce((text, spelling) => text.replaceAll(spelling, 'request_id'), answer);
}

test('an address or --mine finds only deployments of the account that the channel belongs to', async () => {
  const { ann, ben } = await openTwo();
  const id = await ann.deploy();
  await ann.say(`status ${id}`);
  const begun = ann.asked().length;
  expect(await ann.say(`status ${id}.PR.edgegap.net`)).toContain('kart-racing');
  expect(ann.asked().slice(begun)).toEqual([`GET /v1/status/${id}`]);
  expect(await ann.say('list --mine')).toContain(id);
  expect(await ben.say('list --mine')).not.toContain(id);
});

describe("an account's deployment, seen from a channel of another account", () => {
  test("if a channel's account does not own a request_id, the answer says that no such deployment exists", async () => {
    const { ann, ben } = await openTwo();
    const id = await ann.deploy();
    for (const [what, use] of Object.entries(uses)) {
      const answer = withoutId(await use(ben, id), id);
      expect(answer, what).toBe(withoutId(await use(ben, NOWHERE), NOWHERE));
      expect(answer, what).not.toMatch(/kart-racing|Montreal|qa"|ann/);
    }
    expect(ann.asked().filter((request) => !/^(?:GET|POST \/v2)/.test(request))).toEqual([]);
    expect(ann.edgegap.deployments.get(id)?.tags).not.toContain('taken-over');
    expect(ben.all()).not.toContain(id);
    // In a channel of the right account, the same requests work.
    expect(await ann.say(`status ${id.slice(0, 7)}`)).toContain('kart-racing');
    expect(await ann.press({ command: 'stop', action: 'confirm', arg: id })).toContain('Stopping');
    await ann.shown(' stopped after');
  });

  test('@last, list and suggestions never show a deployment of a different account', async () => {
    const { ann, ben } = await openTwo();
    const nothing = await ben.say('list');
    const id = await ann.deploy();
    expect(await ben.say('status @last')).toContain('Nothing was deployed from this channel yet');
    expect(await ben.say('list')).toBe(nothing);
    expect(await ann.say('list')).toContain(id);
    expect(await ben.suggest('status', 'deployment', id.slice(0, 3))).toEqual([]);
    expect(await ben.suggest('status', 'deployment', '')).toEqual(['@last']);
    const refused = await ben.say('deploy kart-racing v1.2 --near Montreal');
    expect(refused).toContain('There is: ben-racing.');
    expect(await ben.say('help deploy')).toContain('deploy ben-racing ');
    expect(await ann.say('help deploy')).toContain('deploy kart-racing ');
    expect(ben.edgegap.deployments.size).toBe(0);
  });

  test('an application of another account is not suggested', async () => {
    const { path, remove } = commandFolder('two-accounts', { pick: PICK });
    onTestFinished(remove);
    const { ann, ben } = await openTwo({ commands: path });
    expect(await ann.suggest('pick', 'application', '')).toContain('kart-racing');
    expect(await ben.suggest('pick', 'application', '')).toEqual(['ben-racing']);
  });

  test('the polling schedule of an account never contains a deployment of a different account', async () => {
    const { repository, add, clock } = await openWatch();
    const everybody = { gone: () => sql<SqlBool>`1 = 1` };
    await add();
    await add({ kind: 'unknown-outcome' });
    await add({ kind: 'accepted', requestId: 'r1' });
    await clock.advance(60_000);
    const { schedule: agenda } = repository;
    const [own, other] = await Promise.all(
      ['a', 'b'].map(async (account) => ({
        next: await agenda.nextCheckAt(account),
        live: await agenda.isAnyLive(account),
        believed: (await agenda.believedLive(account, clock.now())).length,
        abandoned: (await agenda.abandoned(account, everybody)).length,
      })),
    );
    expect(other).toEqual({ next: undefined, live: false, believed: 0, abandoned: 0 });
    expect(own).toMatchObject({ next: expect.any(Number), live: true, believed: 1, abandoned: 1 });
    expect(await agenda.claimDue('b', 20, 30_000)).toEqual([]);
    expect(await agenda.claimDue('a', 20, 30_000)).not.toEqual([]);
  });

  test('the command "list" does not count a failed server of a different account', async () => {
    const { ann, ben } = await openTwo({ simulator: { durations: STILL } });
    const id = await ann.deploy('Deploying');
    ann.edgegap.fail(id, 'no room');
    await ann.shown('no room');
    expect(await ann.say('list')).toContain('1 failed server is not shown');
    expect(await ben.say('list')).not.toContain('failed');
  });

  test('"Deploy again" does not work in a channel of a different account', async () => {
    const { ann, ben } = await openTwo({ factor: 150, simulator: { durations: STILL } });
    ann.edgegap.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'before' });
    await ann.deploy('Deploy again');
    const arg = /"action":"again","arg":"(\w+)"/.exec(ann.all())?.[1] ?? '';
    const again = (studio: Studio, of: string) =>
      studio.press({ command: 'deploy', action: 'again', arg: of });
    const answer = await again(ben, arg);
    expect(answer).toContain('I no longer know that server');
    expect(answer).toBe(await again(ben, 'zzzzzzzzzzzz'));
    expect(ben.asked().join()).not.toContain('POST');
    await again(ann, arg);
    expect(ann.edgegap.deployments.size).toBe(1);
  });

  test('a page button of a list does not work in a channel of a different account', async () => {
    const { ann, ben } = await openTwo({ simulator: { durations: STILL } });
    for (let count = 0; count < 11; count++) await ann.deploy('Deploying');
    const list = await ann.say('list --tag qa');
    const arg = /"arg":"(2\.[\w-]{22})"/.exec(list)?.[1] ?? '';
    const turn = (studio: Studio, to: string) => studio.press({ command: 'list', action: 'page', arg: to });
    expect(await turn(ben, arg)).toContain('too old to turn its pages');
    expect(await turn(ben, arg)).toBe(await turn(ben, `2.${'x'.repeat(22)}`));
    expect(await turn(ann, arg)).toContain('kart-racing');
  });
});

test('after a channel moves to a new account, its old deployments cannot be used, but their ends are still reported', async () => {
  const two = await openTwo();
  const { ann, ben } = two;
  const id = await ann.deploy();
  two.moveAnn();
  expect(await ann.say('status @last')).toContain('Nothing was deployed from this channel yet');
  for (const use of Object.values(uses))
    expect(withoutId(await use(ann, id), id)).toBe(withoutId(await use(ben, NOWHERE), NOWHERE));
  ann.edgegap.terminate(id);
  await ann.shown(' stopped after');
});

describe('one bot with two Edgegap accounts', () => {
  test.each([{ callbacks: true }, { callbacks: false }])(
    'if two accounts have the same request_id, each account follows its own deployment (callbacks: $callbacks)',
    async ({ callbacks }) => {
      const { ann, ben } = await openTwo({ callbacks, sameIds: true });
      const [id, same] = await Promise.all([ann.deploy(), ben.deploy()]);
      expect(same).toBe(id);
      expect(await ann.say(`status ${id}`)).toContain('kart-racing');
      expect(await ben.say(`status ${id}`)).toContain('ben-racing');
      expect(await ben.say('status @last')).toContain('ben-racing');
      expect(await ben.press({ command: 'stop', action: 'confirm', arg: id })).toContain('Stopping');
      await ben.shown(' stopped after');
      expect(ann.asked().join()).not.toContain('DELETE');
      expect(ann.all()).not.toContain('ben');
      expect(ben.all()).not.toContain('kart-racing');
      ann.edgegap.terminate(id);
      await ann.shown(' stopped after');
    },
  );

  test("the bot asks each account's Edgegap only about deployments of that account", async () => {
    const { ann, ben } = await openTwo({ callbacks: false });
    const ids = await Promise.all([ann.deploy(), ben.deploy()]);
    ann.edgegap.terminate(ids[0]);
    ben.edgegap.terminate(ids[1]);
    await Promise.all([ann.shown(' stopped after'), ben.shown(' stopped after')]);
    const about = ({ edgegap }: Studio) =>
      JSON.stringify(edgegap.requests.map(({ path, query }) => [path, query]));
    expect(about(ann)).toContain(ids[0]);
    expect(about(ann)).not.toContain(ids[1]);
    expect(about(ben)).toContain(ids[1]);
    expect(about(ben)).not.toContain(ids[0]);
  });

  test('if Edgegap does not answer for one account, the other accounts keep working', async () => {
    const { ann, ben } = await openTwo();
    ann.edgegap.faults.next({}, { kind: 'server-error', when: 'before' }, 1_000);
    await ben.deploy();
  });

  test('each account has its own APP_ALLOWLIST', async () => {
    const { ann, ben } = await openTwo({ annMay: ['lobby-chat'] });
    expect(await ann.say('deploy kart-racing v1.2 --near Montreal')).toContain('There is: lobby-chat.');
    await ben.deploy();
    expect(ann.edgegap.deployments.size).toBe(0);
  });

  test('the log of a deployment shows no token of the other account', async () => {
    const { ann, ben, log } = await openTwo();
    const id = await ann.deploy();
    ann.edgegap.print(id, `found ${ben.edgegap.token} lying about`);
    await until(async () => (await ann.say(`logs ${id}`)).includes('lying about'), 'the line in the log');
    expect(ann.all()).not.toContain(ben.edgegap.token);
    expect(log.join()).not.toContain(ben.edgegap.token);
  });
});
