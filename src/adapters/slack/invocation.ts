import type {
  AckMode,
  Adapter,
  Address,
  Invocation,
  InvocationRequest,
  MessageRef,
} from '../../chat/port.ts';
import type { Acknowledgement } from './acknowledgement.ts';
import type { Answers, Asked } from './answers.ts';
import type { Incoming } from './incoming.ts';
import { BOT_NAME, SLASH_COMMAND } from './manifest.ts';
import type { People } from './people.ts';
import type { Posted } from './posts.ts';

/** One command or press. Undefined where its button is none this version knows. */
export function createInvocation(parts: {
  readonly adapter: Adapter;
  readonly incoming: Incoming;
  readonly asked: Asked;
  readonly people: People;
  readonly answers: Answers;
  readonly workspace: string;
  /** Tells Slack that the invocation has arrived. */
  readonly acknowledgement: Acknowledgement;
}): Invocation | undefined {
  const { adapter, incoming, asked, people, answers, workspace, acknowledgement } = parts;
  const request = requestOf(incoming, adapter.platform, workspace);
  if (!request) return undefined;
  let mode: AckMode = 'private';
  return {
    id: incoming.id,
    adapter,
    at: {
      platform: adapter.platform,
      workspace,
      channel: incoming.channel,
      ...(incoming.thread === undefined ? {} : { thread: incoming.thread }),
    },
    request,
    // Slack has no slash commands in threads.
    prompt: incoming.threadOpen ? `@${BOT_NAME} ` : `${SLASH_COMMAND} `,
    reply: (mode) => ({ mode, asked }),
    meanwhile: { askerId: incoming.user, holdBack: acknowledgement.holdBack },
    // It is acknowledged whatever becomes of it.
    maySkip: true,
    person: (freshness) => people.person(incoming.user, freshness),
    async refuse(message) {
      await acknowledgement.now();
      await answers.privately(message);
    },
    // Slack shows nothing for it: there is no "thinking" to show.
    async acknowledge(wanted) {
      await acknowledgement.now();
      mode = wanted;
    },
    respond: (message) => answers.respond(mode, message),
    respondPrivately: (message) => answers.privately(message),
    postCard: async (message) => toRef(await answers.postCard(message), adapter.platform, workspace),
  };
}

function requestOf(
  { did, source: pressed }: Incoming,
  platform: string,
  workspace: string,
): InvocationRequest | undefined {
  if (did.kind === 'command')
    return { kind: 'command', command: did.command, args: { kind: 'text', text: did.text } };
  if (!did.action) return undefined;
  const source = pressed && !pressed.ephemeral ? toRef(pressed, platform, workspace) : undefined;
  return { kind: 'action', action: did.action, source };
}

export function toRef({ channel, thread, ts }: Posted, platform: string, workspace: string): MessageRef {
  return { platform, workspace, channel, ...(thread === undefined ? {} : { thread }), message: ts };
}

/** Where a reply goes: into the thread under that message, else into the address's own thread. */
export function replyPlace(
  to: Address,
  replyTo: MessageRef | undefined,
): { channel: string; thread?: string } {
  const thread = replyTo ? (replyTo.thread ?? replyTo.message) : to.thread;
  return { channel: replyTo?.channel ?? to.channel, ...(thread === undefined ? {} : { thread }) };
}
