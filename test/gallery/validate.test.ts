import { expect, onTestFinished, test } from 'vitest';
import { startSlackServer } from '../support/slack-server.ts';
import { SLACK_TOKENS } from '../support/slack-world.ts';
import { doctorSamples } from './doctor.ts';
import { validate } from './validate.ts';

test('Slack’s own check of the samples names each sample that Slack refuses', async () => {
  const slack = await startSlackServer();
  onTestFinished(() => slack.close());
  // The renderer keeps every limit, so only Slack itself can refuse a sample.
  slack.faults.inject('blocks.validate', { kind: 'error', error: 'invalid_blocks' });
  const lines: string[] = [];
  const refused = await validate(doctorSamples, {
    token: SLACK_TOKENS.bot,
    apiUrl: slack.apiUrl,
    print: (line) => lines.push(line),
  });
  expect(lines).toEqual(['doctor, everything is well: invalid_blocks']);
  expect(refused).toBe(1);
  expect(slack.requests.filter(({ method }) => method === 'blocks.validate')).toHaveLength(
    doctorSamples.length,
  );
});
