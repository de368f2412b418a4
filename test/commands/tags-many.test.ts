import { afterEach, beforeEach, expect, test } from 'vitest';
import { deployElsewhere, deployReady, effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';
import type { VisibleMessage } from '../support/chat-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await stageOn('console');
});
afterEach(() => stage.close());

const textOf = (messages: readonly VisibleMessage[]) => messages.map(({ text }) => text).join('\n');
const say = async (line: string) => {
  const { publicly, privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
  expect(publicly).toEqual([]);
  return textOf(privately);
};
const tagsOf = (id: string) => stage.simulator.deployments.get(id)?.tags.map(({ name }) => name) ?? [];
const shown = (text: string) =>
  until(
    async () => (await stage.driver.channel()).find((one) => one.text.includes(text)),
    `a message with ${text}`,
  );
const adding = () => stage.simulator.requests.filter(({ endpoint }) => endpoint === 'addTag');

test('"tags add --of" adds the tag to exactly the deployments of the plan, and the live cards show the tag', async () => {
  const ours = await deployReady(stage, 'kart-racing', 'v1.2', 'night');
  const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['night']);
  const has = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['night', 'final']);
  const kept = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
  const plan = await say('tags add final --of Night');
  expect(plan).toMatch(/Add final to 2 servers\?[\s\S]*tag night/);
  for (const id of [ours, other]) expect(plan).toContain(id);
  for (const id of [has, kept]) expect(plan).not.toContain(id);
  await stage.driver.press('operator', 'Add final to 2 servers');
  await shown('Added final to 2 servers');
  for (const id of [ours, other]) expect(tagsOf(id)).toContain('final');
  expect(tagsOf(kept)).toEqual([]);
  expect(adding()).toHaveLength(2);
  const [question] = await stage.driver.privately('operator');
  expect(question?.text).toMatch(/^\W*Confirmed\W+The card in the channel shows the progress\.\W*$/);
  expect(question?.buttons).toEqual([]);
  await until(
    async () => (await stage.driver.channel())[0]?.text.includes('night, final'),
    'the tag on the live card',
  );
});

test('"tags add --of" skips a deployment that changed after the plan was made, and names a deployment that failed', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n++)
    ids.push(await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['night']));
  const [ended = '', tagged = '', untagged = '', refused = '', good = ''] = ids;
  await say('tags add final --of night');
  const { simulator } = stage;
  simulator.terminate(ended);
  const now = { createdAt: 0, updatedAt: 0 };
  simulator.deployments.get(tagged)?.tags.push({ name: 'final', ...now });
  simulator.deployments.get(untagged)?.tags.pop();
  simulator.faults.next(
    { endpoint: 'addTag', request_id: refused },
    { kind: 'server-error', when: 'before' },
  );
  await stage.driver.press('operator', 'Add final to 5 servers');
  const { text } = await shown('Added final to 1 of 5 servers, 3 left out, 1 failed');
  expect(text).toContain(`${ended}: the server has ended`);
  expect(text).toContain(`${tagged}: the server has the tag final already`);
  expect(text).toContain(`${untagged}: the server no longer has the tag night`);
  expect(text).toContain(`${refused}: `);
  expect(tagsOf(good)).toContain('final');
  await stage.driver.press('operator', 'Retry adding final to 1 server');
  await until(
    async () => textOf(await stage.driver.privately('operator')).includes('Add final to 1 server?'),
    'the new plan',
  );
  await stage.driver.press('operator', 'Add final to 1 server');
  await until(() => tagsOf(refused).includes('final'), 'the tag');
});

test("a tag counts as added to a deployment even if Edgegap's answer was lost", async () => {
  const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['night']);
  await say('tags add final --of night');
  stage.simulator.faults.next({ endpoint: 'addTag' }, { kind: 'reset', when: 'after' });
  await stage.driver.press('operator', 'Add final to 1 server');
  await shown('Added final to 1 server');
  expect(tagsOf(id)).toEqual(['night', 'final']);
  expect(adding()).toHaveLength(1);
});

test('"tags add" changes nothing if no server matches, if every server has the tag, or if the servers are missing or given twice', async () => {
  const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['night']);
  expect(await say('tags add final --of nope')).toContain('No running server matches');
  expect(await say('tags add night --of night')).toMatch(
    /Every server that matches \(1\) has the tag night already: tag night\.[\s\S]*Nothing was changed/,
  );
  expect(await say('tags add final')).toMatch(/needs a tag|is not a request_id/);
  for (const both of [
    `${id} final --of night`,
    `--of night ${id} final`,
    `final --deployment ${id} --of night`,
  ])
    expect(await say(`tags add ${both}`)).toMatch(
      /deployment and of exclude each other\.[\s\S]*Use: .*tags add/,
    );
  expect(adding()).toEqual([]);
});
