import type { Card, Node } from '../src/chat/card.ts';
import { counted } from '../src/chat/facts.ts';
import {
  type ActionContext,
  type Context,
  defineCommand,
  type OwnDeployment,
} from '../src/command/define.ts';
import { logStorageOf, logStorageOption } from '../src/command/options.ts';
import { logWords } from '../src/deployments/planned-stop.ts';
import { InputError } from '../src/errors.ts';

/**
 * How long a person can answer the question. The question lists the effects of the stop, and the list may be out of
 * date after this time.
 */
const ANSWER_MS = 15 * 60_000;
const permission = 'bot.operate';
const interrupted = 'I go on running; ask again.';

export default defineCommand({
  description: 'Stop the bot itself, if Edgegap hosts the bot (asks first)',
  example: '--log-storage yes',
  permission,
  ack: 'private',
  interrupted,
  options: { 'log-storage': logStorageOption },
  actions: {
    confirm: {
      permission,
      ack: 'update',
      once: true,
      check: open,
      interrupted: 'Edgegap had probably stopped me, as you asked.',
      run: confirm,
    },
    cancel: {
      permission,
      ack: 'update',
      once: true,
      check: open,
      interrupted,
      async run({ payloads, action, respond }) {
        if (!(await payloads.take(action.arg))) throw answered();
        await respond(cardOf('neutral', 'I go on running'));
      },
    },
  },
  run: (context) => ask(context, context.options['log-storage']),
});

async function ask(context: Context<unknown>, storage = ''): Promise<void> {
  const { ownDeployment, payloads, invocationId, respond } = context;
  if (!ownDeployment) return await respond(nothingToStop());
  // The invocation's id makes the payload of each question unique. A person who runs the command twice can therefore
  // answer both questions.
  const arg = await payloads.keepFor(ANSWER_MS, { own: ownDeployment.id, storage, invocationId });
  const action = (action: string) => ({ command: 'self-stop', action, arg });
  const log = logWords(logStorageOf(storage || undefined));
  await respond({
    ...cardOf('warning', 'Stop me?'),
    nodes: [
      { kind: 'text', text: [await consequences(ownDeployment)] },
      { kind: 'note', text: [`Log ${log} · request_id `, { code: ownDeployment.id }] },
      {
        kind: 'buttons',
        buttons: [
          { label: 'Stop the bot', style: 'danger', action: action('confirm') },
          { label: 'Keep it running', style: 'secondary', action: action('cancel') },
        ],
      },
    ],
  });
}

/** Throws InputError if the question can no longer be answered. */
async function open({
  ownDeployment,
  payloads,
  action,
}: Pick<ActionContext, 'ownDeployment' | 'payloads' | 'action'>): Promise<void> {
  if (ownDeployment && !(await payloads.get(action.arg))) throw answered();
}

async function consequences(own: OwnDeployment): Promise<string> {
  const { processes, waiting } = await own.effects();
  const others = processes - 1;
  const queue = waiting === 0 ? 'No message' : counted(waiting, 'message');
  if (others > 0)
    return `This stops one of ${processes} processes of mine. The other ${others === 1 ? 'process goes' : `${others} go`} on: commands are answered and news is posted as before. ${queue} now ${waiting === 1 ? 'waits' : 'wait'} to be sent. This cannot be undone from chat.`;
  return `This stops the bot: nobody gets an answer until the bot is started again, outside of chat. All servers go on running, but the channels hear nothing of their events until then. Planned stops wait, too. ${queue} now ${waiting === 0 || waiting === 1 ? 'waits' : 'wait'} to be sent. If the database is a file inside this server, the file is lost, with all these messages.`;
}

/**
 * Posts the answer before the request to Edgegap, because Edgegap may end this process as soon as the request arrives.
 */
async function confirm(context: ActionContext): Promise<void> {
  const { ownDeployment, payloads, action, respond } = context;
  if (!ownDeployment) return await respond(nothingToStop());
  const asked = await payloads.get(action.arg);
  if (!asked || !(await payloads.take(action.arg))) throw answered();
  const storage = String(asked.storage);
  // If another replica asked the question, the question is about the deployment of the other replica. This replica can
  // stop only its own deployment, so it asks again.
  if (asked.own !== ownDeployment.id) return await ask(context, storage);
  await respond(stopsNow('Edgegap gets the request now. If Edgegap refuses, this message says so.'));
  const outcome = await ownDeployment.stop(logStorageOf(storage || undefined));
  if (outcome === 'accepted')
    await respond(stopsNow('Edgegap stops my server as soon as the server is ready or has failed.'));
}

function answered(): InputError {
  return new InputError(
    'self-stop-closed',
    'That question was answered already, or I asked you more than 15 minutes ago.',
    { hint: 'This press did nothing. To stop me, use `self-stop` again.' },
  );
}

function stopsNow(text: string): Card {
  return cardOf('warning', 'I stop now', [{ kind: 'text', text: [text] }]);
}

function nothingToStop(): Card {
  const text =
    'I do not run as a server of Edgegap (ARBITRIUM_DELETE_URL is not set), so Edgegap cannot stop me. Whoever runs me can stop me where I run.';
  return cardOf('neutral', 'There is nothing to stop', [{ kind: 'text', text: [text] }]);
}

function cardOf(tone: Card['tone'], title: string, nodes: readonly Node[] = []): Card {
  return { kind: 'card', tone, title: [title], nodes };
}
