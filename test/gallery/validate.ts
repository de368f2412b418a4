import { webApi } from '@slack/bolt';
import { slackPayload } from './payloads.ts';
import type { Sample } from './sample.ts';

/**
 * Asks Slack to check every sample (`blocks.validate`, which needs a token but no scope). Prints the samples that Slack
 * would refuse, and returns their number.
 */
export async function validate(
  samples: readonly Sample[],
  { token, apiUrl, print }: { token: string; apiUrl: string | undefined; print: (line: string) => void },
): Promise<number> {
  const slackApiUrl = apiUrl && `${apiUrl.replace(/\/+$/, '')}/`;
  const client = new webApi.WebClient(token, {
    ...(slackApiUrl ? { slackApiUrl } : {}),
    logLevel: webApi.LogLevel.ERROR,
  });
  let refused = 0;
  for (const sample of samples) {
    const payload = slackPayload(sample);
    try {
      await client.blocks.validate(
        'callback_id' in payload ? { view: payload } : { message: { blocks: payload.blocks } },
      );
    } catch (error) {
      if (!(error instanceof webApi.WebAPIPlatformError)) throw error;
      refused++;
      const { messages = [] } = error.data.response_metadata ?? {};
      print(`${sample.group}, ${sample.name}: ${[error.data.error, ...messages].join('; ')}`);
    }
  }
  return refused;
}
