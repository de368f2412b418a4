import { join } from 'node:path';
import { renderForm as discordForm } from '../../src/adapters/discord/form.ts';
import { payloadOf } from '../../src/adapters/discord/payload.ts';
import { spellingFor } from '../../src/adapters/discord/spelling.ts';
import { renderForm as slackForm } from '../../src/adapters/slack/form.ts';
import { render } from '../../src/adapters/slack/render.ts';
import { spellingIn } from '../../src/adapters/slack/spelling.ts';
import type { CardFile } from '../../src/chat/card.ts';
import { spelled } from '../../src/chat/typed.ts';
import { loadCommands } from '../../src/command/load.ts';
import { isForm, type Sample } from './sample.ts';

const directory = await loadCommands(join(import.meta.dirname, '..', '..', 'commands'));
const onDiscord = spellingFor('1', { directory, ids: { of: () => '100000000000000002' } });
const onSlack = spellingIn(undefined);

/** The files of a sample's message. On Slack, the payload of the message does not include the files. */
export function filesOf({ shown }: Sample): readonly CardFile[] {
  return !isForm(shown) && shown.kind === 'card' ? (shown.files ?? []) : [];
}

/** The body of the request with which the bot shows the sample on Discord. */
export function discordPayload({ shown }: Sample) {
  return isForm(shown) ? discordForm(shown) : payloadOf(spelled(shown, onDiscord)).body;
}

/** The arguments of the call with which the bot shows the sample on Slack. */
export function slackPayload({ shown }: Sample) {
  return isForm(shown)
    ? slackForm(shown, '{}')
    : render(spelled(shown, onSlack), { dataTables: true, containers: true, plans: true });
}
