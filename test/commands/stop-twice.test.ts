import { expect, test } from 'vitest';
import { AT_ONCE, deployReady, effectOf, stageOn, typeLine } from '../command/harness.ts';

test('if a second person confirms the stop of a deployment, the answer says that the deployment is already stopping', async () => {
  const { durations } = AT_ONCE;
  const stage = await stageOn('console', { simulator: { durations: { ...durations, terminating: 60_000 } } });
  const answer = async (act: () => Promise<void>) =>
    (await effectOf(stage, 'operator', act)).privately.map(({ text }) => text).join('\n');
  const id = await deployReady(stage);
  // The bot may have asked two people for confirmation.
  for (let asked = 0; asked < 2; asked++) await answer(() => typeLine(stage, 'operator', `stop ${id}`));
  expect(await answer(() => stage.driver.press('operator', 'Stop it'))).toMatch(
    new RegExp(`Stopping kart-racing v1\\.2[^]*${id}`),
  );
  expect(await answer(() => stage.driver.press('operator', 'Stop it'))).toMatch(
    new RegExp(`kart-racing v1\\.2 is stopping already[^]*${id}`),
  );
  expect(await answer(() => typeLine(stage, 'operator', `stop ${id}`))).toContain('is stopping already');
  await stage.close();
});
